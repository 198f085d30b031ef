// The one source of `dformer::onnx` that knows protobuf.

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <onnx/onnx_pb.h>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/error.hpp>
#include <dformer/io/onnx_writer.hpp>
#include <dformer/version.hpp>

namespace dformer {
namespace {

/// Of ONNX 1.12, the release of operator set 17.
constexpr std::int64_t ir_version = 8;

void put(const onnx::Attribute& attribute, ::onnx::AttributeProto& proto) {
  using Proto = ::onnx::AttributeProto;
  proto.set_name(attribute.name);
  if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
    proto.set_type(Proto::INT);
    proto.set_i(*number);
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    proto.set_type(Proto::FLOAT);
    proto.set_f(*real);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    proto.set_type(Proto::STRING);
    proto.set_s(*text);
  } else {
    proto.set_type(Proto::INTS);
    for (const std::int64_t each : std::get<std::vector<std::int64_t>>(attribute.value)) proto.add_ints(each);
  }
}

void put(const onnx::Node& node, ::onnx::NodeProto& proto) {
  proto.set_op_type(node.op);
  proto.set_name(node.name);
  for (const std::string& input : node.inputs) proto.add_input(input);
  proto.add_output(node.output);
  for (const onnx::Attribute& attribute : node.attributes) put(attribute, *proto.add_attribute());
}

template <class T>
void put(const std::vector<T>& values, ::onnx::TensorProto::DataType type, ::onnx::TensorProto& proto) {
  proto.set_data_type(type);
  proto.set_raw_data(values.data(), values.size() * sizeof(T));
}

void put(const onnx::Initializer& initializer, ::onnx::TensorProto& proto) {
  proto.set_name(initializer.name);
  for (const std::int64_t extent : initializer.dims) proto.add_dims(extent);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&initializer.values)) {
    put(*integers, ::onnx::TensorProto::INT64, proto);
  } else {
    put(*std::get<0>(initializer.values), ::onnx::TensorProto::FLOAT, proto);
  }
}

void put(const onnx::GraphValue& value, ::onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  proto.set_doc_string(value.description);
  ::onnx::TypeProto::Tensor& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(value.type == onnx::ElementType::int32 ? ::onnx::TensorProto::INT32
                                                            : ::onnx::TensorProto::FLOAT);
  for (const onnx::Extent& extent : value.extents) {
    auto& dim = *type.mutable_shape()->add_dim();
    if (const auto* number = std::get_if<std::int64_t>(&extent)) {
      dim.set_dim_value(*number);
    } else {
      dim.set_dim_param(std::get<std::string>(extent));
    }
  }
}

void put(const onnx::Graph& graph, ::onnx::GraphProto& proto) {
  proto.set_name(graph.name);
  for (const onnx::GraphValue& value : graph.inputs) put(value, *proto.add_input());
  for (const onnx::GraphValue& value : graph.outputs) put(value, *proto.add_output());
  for (const onnx::Initializer& initializer : graph.initializers) put(initializer, *proto.add_initializer());
  for (const onnx::Node& node : graph.nodes) put(node, *proto.add_node());
}

}  // namespace

void write_onnx(const onnx::Graph& graph, const std::filesystem::path& path) {
  ::onnx::ModelProto model;
  model.set_ir_version(ir_version);
  model.set_producer_name("dformer");
  model.set_producer_version(version);
  model.add_opset_import()->set_version(onnx::opset);
  for (const auto& [key, value] : graph.metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  put(graph, *model.mutable_graph());
  if (model.ByteSizeLong() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw_argument_error(
        "[write_onnx] the model is larger than the 2 GB that protobuf can hold; export it "
        "for a smaller height and width");
  }
  std::string bytes;
  if (!model.SerializeToString(&bytes)) throw Error("[write_onnx] protobuf cannot write the model");
  write_file_atomically(path, bytes);
}

}  // namespace dformer
