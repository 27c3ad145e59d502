# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a program may consist of: operators that only compute.

Paddle has operators that write files, read them, call Python or talk to other machines, and its inference
engine runs whatever a program asks for. So a program from the disk is read here first, without Paddle's C++,
and refused unless each of its operators is on this list. The names are those of Paddle's two intermediate
representations, the legacy one and PIR.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_COMPUTING = frozenset(
    # Convolution, pooling, sampling, normalisation.
    """
    conv2d conv2d_transpose conv3d conv3d_transpose depthwise_conv2d depthwise_conv2d_transpose fused_conv2d
    pool2d pool3d max_pool2d_with_index max_pool3d_with_index unpool affine_grid grid_sample grid_sampler
    bicubic_interp bicubic_interp_v2 bilinear_interp bilinear_interp_v2 linear_interp linear_interp_v2
    nearest_interp nearest_interp_v2 trilinear_interp trilinear_interp_v2 fold unfold im2sequence pad pad3d
    pixel_shuffle pixel_unshuffle shuffle_channel channel_shuffle temporal_shift deformable_conv
    batch_norm batch_norm_ group_norm instance_norm layer_norm rms_norm lrn norm spectral_norm
    """
    # Linear algebra.
    """
    addmm baddbmm bilinear_tensor_product bmm cholesky cross det determinant dot einsum fc frobenius_norm
    fused_matmul inverse kron matmul matmul_v2 matrix_power mul multi_dot mv p_norm slogdet slogdeterminant
    solve squared_l2_norm trace triangular_solve
    """
    # Arithmetic on elements, comparisons, logic.
    """
    abs acos acosh add add_n angle asin asinh atan atan2 atanh bitwise_and bitwise_not bitwise_or bitwise_xor
    cast ceil clip complex conj copysign cos cosh digamma divide
    elementwise_add elementwise_div elementwise_floordiv elementwise_fmax elementwise_fmin elementwise_max
    elementwise_min elementwise_mod elementwise_mul elementwise_pow elementwise_sub elementwise_heaviside
    equal equal_all erf erfinv exp expm1 floor floor_divide fmax fmin fused_elementwise_add
    fused_elementwise_div fused_elementwise_mul fused_elementwise_sub grad_add greater_equal greater_than
    heaviside imag increment isclose isfinite isfinite_v2 isinf isinf_v2 isnan isnan_v2 lerp less_equal
    less_than lgamma log log10 log1p log2 logical_and logical_not logical_or logical_xor logit maximum minimum
    multiply not_equal pow real reciprocal remainder round rsqrt scale sign sin sinh sqrt square subtract sum
    tan trunc where
    """
    # Activations and losses.
    """
    bce_loss brelu celu cross_entropy cross_entropy2 cross_entropy_with_softmax dropout elu fused_bias_act
    gelu hard_shrink hard_sigmoid hard_swish hardshrink hardsigmoid hardswish hardtanh huber_loss kldiv_loss
    label_smooth leaky_relu log_loss log_softmax logsigmoid logsumexp maxout mish nll_loss prelu relu relu6
    rrelu selu sigmoid sigmoid_cross_entropy_with_logits silu softmax softmax_with_cross_entropy softplus
    softshrink softsign stanh swiglu swish tanh tanh_shrink thresholded_relu
    """
    # Reductions, sorting, searching.
    """
    all any argmax argmin arg_max arg_min argsort cummax cummin cumprod cumsum kthvalue logcumsumexp max mean
    mean_all median min mode nanmedian prod reduce_all reduce_amax reduce_amin reduce_any reduce_max
    reduce_mean reduce_min reduce_prod reduce_sum top_k top_k_v2 topk
    """
    # Shapes, indices, constants, random numbers.
    """
    as_complex as_real as_strided assign assign_value assign_value_ broadcast_tensors concat crop crop_tensor
    data diag_embed diag_v2 diag diagonal embedding empty expand expand_as expand_as_v2 expand_v2 eye feed
    fetch fetch_v2 fft_c2c fft_c2r fft_r2c fill fill_any fill_any_like fill_constant
    fill_constant_batch_size_like fill_diagonal flatten flatten2 flatten_contiguous_range flip full
    full_batch_size_like full_int_array full_like full_with_tensor gather gather_nd gaussian gaussian_random
    index_add index_put index_sample index_select linspace lookup_table_v2 masked_select memcpy_d2h memcpy_h2d
    meshgrid one_hot one_hot_v2 put_along_axis randint range arange repeat_interleave reshape reshape2
    reverse roll scatter scatter_nd_add set_value set_value_ set_value_with_tensor shadow_output shape shape64
    size slice split split_with_num squeeze squeeze2 stack strided_slice take_along_axis tile transpose
    transpose2 tril tril_triu triu truncated_gaussian_random unbind uniform uniform_random unsqueeze
    unsqueeze2 unstack view_shape
    """.split()
)
_BUILTIN = ("combine", "constant", "slice", "split")  # of PIR, beside the parameters
_GRADIENT = re.compile(r"(_grad|_double|_triple)+$")
_PARAMETER, _DENSE = "p", 7  # PIR's name of a parameter, and the legacy type of one


@dataclass(frozen=True)
class Contents:
    """What a program consists of.

    Attributes:
        operators: names of its operators.
        parameters: how many it reads from its file of parameters.
    """

    operators: frozenset[str]
    parameters: int

    @property
    def unlisted(self) -> list[str]:
        """The operators that are not known to compute and nothing else."""
        return sorted(name for name in self.operators if not _only_computes(name))


def read_contents(data: bytes, suffix: str) -> Contents:
    """Read a program without running anything of it.

    Args:
        data: the bytes of its file.
        suffix: of the file's name, ".pdmodel" (legacy IR, protobuf) or ".json" (PIR).
    Raises:
        ValueError: it is no whole program.
    """
    try:
        contents = _read_legacy(data) if suffix == ".pdmodel" else _read_pir(data)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise ValueError("it is not a program") from None
    if not contents.operators:
        raise ValueError("the program is empty")
    return contents


def _only_computes(name: str) -> bool:
    return name in _COMPUTING or _GRADIENT.sub("", name) in _COMPUTING


def _read_legacy(data: bytes) -> Contents:
    """Of the serialised ProgramDesc of paddle/fluid/framework/framework.proto."""
    from google.protobuf.message import DecodeError
    from paddle.base.proto import framework_pb2

    try:
        program = framework_pb2.ProgramDesc.FromString(data)
    except DecodeError as error:
        raise ValueError(str(error)) from None
    if not program.IsInitialized():
        raise ValueError("a field is missing")
    operators = frozenset(op.type for block in program.blocks for op in block.ops)
    parameters = [
        variable
        for block in program.blocks[:1]  # Paddle Inference fills those of the first block
        for variable in block.vars
        if variable.persistable and variable.type.type == _DENSE
    ]
    return Contents(operators, len(parameters))


def _read_pir(data: bytes) -> Contents:
    """Of the JSON that Paddle 3 writes: operators are "DIALECT.NAME", 0 the built-in ones, 1 Paddle's."""
    content = json.loads(data)
    if content["base_code"]["magic"] != "pir":
        raise ValueError("it is other JSON")
    names = [op["#"] for op in _pir_operators(content["program"])]
    return Contents(
        frozenset(_pir_name(name) for name in names if name != _PARAMETER), names.count(_PARAMETER)
    )


def _pir_operators(holder: dict[str, Any]) -> list[dict[str, Any]]:
    """All operators of a program or of an operator that has regions, nested ones too."""
    found: list[dict[str, Any]] = []
    for region in holder.get("regions", []):
        for block in region["blocks"]:
            for op in block["ops"]:
                found += [op, *_pir_operators(op)]
    return found


def _pir_name(name: str) -> str:
    """The plain name; what is of another dialect keeps its own, which is on no list."""
    dialect, _, plain = name.partition(".")
    if dialect == "0" and plain in _BUILTIN:
        return "assign"
    return plain.removesuffix("_") if dialect == "1" and plain not in ("", "_") else name
