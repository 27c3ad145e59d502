// The networks, in a thread of their own, so that sliders never wait.
// Messages in: {id, z} or {id, s}; out: {id, s} or {id, pixels, side, milliseconds}; {ready}, {error}.
import * as ort from "./ort/ort.wasm.bundle.min.mjs";

ort.env.wasm.wasmPaths = { wasm: new URL("./ort/ort-wasm-simd-threaded.wasm", import.meta.url).href };
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;

async function open(name) {
  const answer = await fetch(new URL(`./model/${name}.onnx`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}.onnx: ${answer.status}`);
  return ort.InferenceSession.create(new Uint8Array(await answer.arrayBuffer()));
}

async function run(session, name, values, shape) {
  const results = await session.run({ [name]: new ort.Tensor("float32", values, shape) });
  return results[session.outputNames[0]];
}

function toPixels(images, side) {
  const pixels = new Uint8ClampedArray(4 * side * side), plane = side * side;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) pixels[4 * i + c] = (images[c * plane + i] + 1) * 127.5;  // rounds and clamps
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

const networks = Promise.all(["mapping", "affine", "synthesis"].map(open));

self.onmessage = async ({ data: { id, z, s, layers, mean, truncation } }) => {
  try {
    const [mapping, affine, synthesis] = await networks;
    if (z) {
      const drawn = (await run(mapping, "z", z, [1, z.length])).data;
      const w = drawn.map((value, i) => mean[i] + (value - mean[i]) * truncation);
      const w_plus = new Float32Array(layers * w.length);
      for (let l = 0; l < layers; l++) w_plus.set(w, l * w.length);
      self.postMessage({ id, s: (await run(affine, "w_plus", w_plus, [1, layers, w.length])).data });
      return;
    }
    const begin = performance.now();
    const images = await run(synthesis, "s", s, [1, s.length]);
    const side = images.dims[3], pixels = toPixels(images.data, side);
    self.postMessage({ id, pixels, side, milliseconds: performance.now() - begin }, [pixels.buffer]);
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};

networks.then(() => self.postMessage({ ready: true }), (error) => self.postMessage({ error: String(error) }));
