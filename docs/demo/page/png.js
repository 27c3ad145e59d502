// Texts in a PNG's file, which say that the picture is synthetic; no pixel changes.
const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = table[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function chunk(kind, body) {
  const made = new Uint8Array(12 + body.length), view = new DataView(made.buffer);
  view.setUint32(0, body.length);
  made.set(new TextEncoder().encode(kind), 4);
  made.set(body, 8);
  view.setUint32(8 + body.length, crc32(made.subarray(4, 8 + body.length)));
  return made;
}

/** A PNG (bytes) with international texts {keyword: text} behind its header. */
export function withTexts(png, texts) {
  const start = 33;  // signature and IHDR
  const chunks = Object.entries(texts).map(([name, text]) => chunk("iTXt", new TextEncoder().encode(`${name}\0\0\0\0\0${text}`)));
  const made = new Uint8Array(png.length + chunks.reduce((sum, one) => sum + one.length, 0));
  let place = start;
  made.set(png.subarray(0, start));
  for (const one of chunks) {
    made.set(one, place);
    place += one.length;
  }
  made.set(png.subarray(start), place);
  return made;
}
