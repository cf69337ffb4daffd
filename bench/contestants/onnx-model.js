// Builds ONNX models: graphs of operations on named values, as the bytes of a file.

import protobuf from "protobufjs";

// The part of onnx.proto that these models need.
const { ModelProto } = protobuf.parse(
  `
  syntax = "proto3";
  message ModelProto { int64 ir_version = 1; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message GraphProto {
    repeated NodeProto node = 1;
    string name = 2;
    repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11;
    repeated ValueInfoProto output = 12;
  }
  message NodeProto { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated AttributeProto attribute = 5; }
  message AttributeProto { string name = 1; float f = 2; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
  message TensorProto {
    repeated int64 dims = 1;
    int32 data_type = 2;
    repeated float float_data = 4;
    repeated int64 int64_data = 7;
    string name = 8;
  }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message TypeProto { TypeTensor tensor_type = 1; }
  message TypeTensor { int32 elem_type = 1; TensorShape shape = 2; }
  message TensorShape { repeated Dimension dim = 1; }
  message Dimension { int64 dim_value = 1; }
`,
  { keepCase: true },
).root;

export const FLOAT = 1;
const INT64 = 7;
export const FLOAT16 = 10;

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/** A graph under construction; its methods return the names of values. */
export class Graph {
  #graph = { name: "graph", node: [], initializer: [], input: [], output: [] };
  #values = 0;

  #newName() {
    return `value${this.#values++}`;
  }

  #describe(name, elem_type, dims) {
    return { name, type: { tensor_type: { elem_type, shape: { dim: dims.map((dim_value) => ({ dim_value })) } } } };
  }

  input(name, elementType, dims) {
    this.#graph.input.push(this.#describe(name, elementType, dims));
    return name;
  }

  number(value) {
    const name = this.#newName();
    this.#graph.initializer.push({ name, data_type: FLOAT, float_data: [value] });
    return name;
  }

  integers(...values) {
    const name = this.#newName();
    this.#graph.initializer.push({ name, dims: [values.length], data_type: INT64, int64_data: values });
    return name;
  }

  /** Adds an operation with several results. */
  operations(op_type, input, count, attribute = []) {
    const output = Array.from({ length: count }, () => this.#newName());
    this.#graph.node.push({ op_type, input, output, attribute });
    return output;
  }

  /** Adds an operation with one result. */
  operation(op_type, input, attribute) {
    return this.operations(op_type, input, 1, attribute)[0];
  }

  /** The bytes of the model, whose output is called "out". */
  encode(result, elementType, dims) {
    this.#graph.node.push({ op_type: "Identity", input: [result], output: ["out"] });
    this.#graph.output.push(this.#describe("out", elementType, dims));
    const model = { ir_version: 8, opset_import: [{ domain: "", version: 17 }], graph: this.#graph };
    return ModelProto.encode(ModelProto.fromObject(model)).finish();
  }
}

export const integer = (name, i) => ({ name, i, type: ATTRIBUTE_INT });
export const float = (name, f) => ({ name, f, type: ATTRIBUTE_FLOAT });
export const integerList = (name, ints) => ({ name, ints, type: ATTRIBUTE_INTS });
