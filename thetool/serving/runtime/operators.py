"""What is known of operators: which are random, and whose work follows the shapes of what they take.

Sources: onnx.ai/onnx/operators, and the kernels of ONNX Runtime where those say nothing of the work.
"""

from __future__ import annotations

from typing import Any

RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
OWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})

# What is not named here may do any work for any values: loops, branches, boxes that are sifted, picked rows.
_PLAIN = frozenset(
    """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitShift BitwiseAnd
    BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu Clip Concat Constant Conv ConvInteger ConvTranspose Cos Cosh
    CumSum DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp EyeLike Flatten
    Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample
    GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM
    LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool
    Mean MeanVarianceNormalization Min Mish Mod Mul Neg Not Or PRelu Pow QLinearConv QLinearMatMul QuantizeLinear RNN
    Reciprocal Relu Round ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Softmax Softplus
    Softsign SpaceToDepth Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Transpose Trilu Where Xor
    ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer
    OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor ZipMap
    """.split()  # noqa: SIM905  read more easily than a list of quoted words
)
_SHAPED_BY: dict[str, tuple[int, ...]] = {
    "ConstantOfShape": (0,), "Expand": (1,), "OneHot": (1,), "Pad": (1, 3), "Range": (0, 1, 2), "ReduceL1": (1,),
    "ReduceL2": (1,), "ReduceLogSum": (1,), "ReduceLogSumExp": (1,), "ReduceMax": (1,), "ReduceMean": (1,),
    "ReduceMin": (1,), "ReduceProd": (1,), "ReduceSum": (1,), "ReduceSumSquare": (1,), "Reshape": (1,),
    "Resize": (1, 2, 3), "Slice": (1, 2, 3, 4), "Split": (1,), "Squeeze": (1,), "Tile": (1,), "TopK": (1,),
    "Unsqueeze": (1,), "Upsample": (1,),
}  # fmt: skip
"""Operators whose outputs have shapes that the values of these inputs say, by their places."""


def work_follows_shapes(model: Any) -> bool:
    """Whether inputs of equal shapes mean equal work, whatever is in them.

    So it is where only plain operators are used, and each shape that is computed is computed from constants and shapes.

    Args:
        model: an `onnx.ModelProto`.
    """
    if model.functions:
        return False
    graph = model.graph
    known = {one.name for one in graph.initializer} | {one.values.name for one in graph.sparse_initializer}
    known |= {""}  # an input that is left away
    for node in graph.node:  # in the order in which they are run
        shaped_by = [node.input[place] for place in _SHAPED_BY.get(node.op_type, ()) if place < len(node.input)]
        plain = node.domain in OWN_DOMAINS and (node.op_type in _PLAIN or node.op_type in _SHAPED_BY)
        if not plain or not known.issuperset(shaped_by):
            return False
        if node.op_type in ("Shape", "Size") or known.issuperset(node.input):
            known.update(node.output)
    return True
