// A stand-in for TensorFlow's C interface: a process that runs single operations.
//
// At the start it writes a line for each operation: its name and its inputs and outputs, each as
// "name: type", separated by tabs. An empty line follows. Then it answers requests; see `Answer`.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

struct TSL_Status {
  TF_Code code = TF_OK;
  std::string message;
};

struct TF_Tensor {
  TF_DataType type;
  std::vector<int64_t> shape;
  std::shared_ptr<std::vector<char>> bytes;  // Copies share them.
};

struct TF_OpDefinitionBuilder {
  std::string name, inputs, outputs;
};

struct TF_KernelBuilder {
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

struct TF_OpKernelConstruction {
  std::map<std::string, int64_t> attributes;
  std::string failure;
};

struct TF_OpKernelContext {
  std::vector<TF_Tensor> inputs, outputs;
  std::string failure;
};

namespace {

std::map<std::string, TF_OpDefinitionBuilder>& Definitions() {
  static std::map<std::string, TF_OpDefinitionBuilder> definitions;
  return definitions;
}

std::map<std::string, TF_KernelBuilder>& Kernels() {
  static std::map<std::string, TF_KernelBuilder> kernels;
  return kernels;
}

}  // namespace

TF_Status* TF_NewStatus() { return new TF_Status; }
void TF_DeleteStatus(TF_Status* status) { delete status; }
void TF_SetStatus(TF_Status* status, TF_Code code, const char* message) {
  *status = {code, message};
}
TF_Code TF_GetCode(const TF_Status* status) { return status->code; }
const char* TF_Message(const TF_Status* status) { return status->message.c_str(); }

void TF_DeleteTensor(TF_Tensor* tensor) { delete tensor; }
TF_DataType TF_TensorType(const TF_Tensor* tensor) { return tensor->type; }
int TF_NumDims(const TF_Tensor* tensor) { return static_cast<int>(tensor->shape.size()); }
int64_t TF_Dim(const TF_Tensor* tensor, int axis) { return tensor->shape[axis]; }
void* TF_TensorData(const TF_Tensor* tensor) { return tensor->bytes->data(); }
int64_t TF_TensorElementCount(const TF_Tensor* tensor) {
  int64_t count = 1;
  for (int64_t size : tensor->shape) count *= size;
  return count;
}
size_t TF_DataTypeSize(TF_DataType type) {
  return type == TF_BFLOAT16 ? 2 : type == TF_DOUBLE ? 8 : 4;  // The operations use no others.
}

TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* name) {
  auto* builder = new TF_OpDefinitionBuilder;
  builder->name = name;
  return builder;
}
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder* builder, const char* input) {
  builder->inputs += std::string("\t") + input;
}
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder* builder, const char* output) {
  builder->outputs += std::string("\t") + output;
}
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder*, const char*) {}
void TF_OpDefinitionBuilderSetShapeInferenceFunction(
    TF_OpDefinitionBuilder*, void (*)(TF_ShapeInferenceContext*, TF_Status*)) {}
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder* builder, TF_Status*) {
  Definitions()[builder->name] = *builder;
  delete builder;
}
// Shapes are inferred only while a graph is traced.
TF_ShapeHandle* TF_NewShapeHandle() { std::abort(); }
void TF_DeleteShapeHandle(TF_ShapeHandle*) {}
TF_ShapeHandle* TF_ShapeInferenceContextScalar(TF_ShapeInferenceContext*) { std::abort(); }
void TF_ShapeInferenceContextGetInput(TF_ShapeInferenceContext*, int, TF_ShapeHandle*,
                                      TF_Status*) {}
void TF_ShapeInferenceContextSetOutput(TF_ShapeInferenceContext*, int, TF_ShapeHandle*,
                                       TF_Status*) {}
void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext*, TF_Status*) {}

TF_KernelBuilder* TF_NewKernelBuilder(const char*, const char*,
                                      void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*),
                                      void (*destroy)(void*)) {
  return new TF_KernelBuilder{create, compute, destroy};
}
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder* builder, TF_Status*) {
  Kernels()[name] = *builder;
  delete builder;
}
void TF_OpKernelConstruction_GetAttrInt32(TF_OpKernelConstruction* construction, const char* name,
                                          int32_t* value, TF_Status*) {
  *value = static_cast<int32_t>(construction->attributes.at(name));
}
void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction* construction, const char* name,
                                         unsigned char* value, TF_Status*) {
  *value = construction->attributes.at(name) != 0;
}
void TF_OpKernelConstruction_GetAttrType(TF_OpKernelConstruction* construction, const char* name,
                                         TF_DataType* value, TF_Status*) {
  *value = static_cast<TF_DataType>(construction->attributes.at(name));
}
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction* construction, TF_Status* status) {
  construction->failure = status->message;
}
void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status* status) {
  context->failure = status->message;
}
int TF_NumInputs(TF_OpKernelContext* context) { return static_cast<int>(context->inputs.size()); }
int TF_NumOutputs(TF_OpKernelContext* context) {
  return static_cast<int>(context->outputs.size());
}
void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status*) {
  *tensor = new TF_Tensor(context->inputs[index]);
}
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType type,
                             const int64_t* sizes, int rank, size_t bytes, TF_Status*) {
  context->outputs[index] = {type, {sizes, sizes + rank},
                             std::make_shared<std::vector<char>>(bytes)};
  return new TF_Tensor(context->outputs[index]);
}

namespace {

void ReadBytes(void* to, size_t count) {
  // The end of the requests ends the process.
  if (count && std::fread(to, count, 1, stdin) != 1) std::exit(0);
}

template <class Number>
Number Read() {
  Number number;
  ReadBytes(&number, sizeof(number));
  return number;
}

std::string ReadText() {
  std::string text(Read<int64_t>(), ' ');
  ReadBytes(text.data(), text.size());
  return text;
}

TF_Tensor ReadTensor() {
  TF_Tensor tensor{static_cast<TF_DataType>(Read<int64_t>()), {}, {}};
  tensor.shape.resize(Read<int64_t>());
  for (int64_t& size : tensor.shape) size = Read<int64_t>();
  tensor.bytes = std::make_shared<std::vector<char>>(TF_TensorElementCount(&tensor) *
                                                     TF_DataTypeSize(tensor.type));
  ReadBytes(tensor.bytes->data(), tensor.bytes->size());
  return tensor;
}

void Write(const void* from, size_t count) { std::fwrite(from, 1, count, stdout); }

void Write(int64_t number) { Write(&number, sizeof(number)); }

void WriteTensor(const TF_Tensor& tensor) {
  Write(tensor.type);
  Write(TF_NumDims(&tensor));
  for (int64_t size : tensor.shape) Write(size);
  Write(tensor.bytes->data(), tensor.bytes->size());
}

// Reads the name, the attributes, the number of outputs and the inputs of an operation. Writes the
// length of a message and the message, which is empty unless the operation failed, and then its
// outputs.
void Answer() {
  const std::string name = ReadText();
  TF_OpKernelConstruction construction;
  for (int64_t left = Read<int64_t>(); left > 0; --left) {
    const std::string attribute = ReadText();
    construction.attributes[attribute] = Read<int64_t>();
  }
  TF_OpKernelContext context;
  context.outputs.resize(Read<int64_t>());
  for (int64_t left = Read<int64_t>(); left > 0; --left) context.inputs.push_back(ReadTensor());
  const TF_KernelBuilder& kernel = Kernels().at(name);
  if (void* created = kernel.create(&construction)) {
    kernel.compute(created, &context);
    kernel.destroy(created);
  }
  const std::string failure = construction.failure + context.failure;
  Write(static_cast<int64_t>(failure.size()));
  Write(failure.data(), failure.size());
  if (failure.empty()) {
    for (const TF_Tensor& output : context.outputs) WriteTensor(output);
  }
  std::fflush(stdout);
}

}  // namespace

int main() {
  for (const auto& [name, definition] : Definitions()) {
    std::printf("%s%s\t->%s\n", name.c_str(), definition.inputs.c_str(),
                definition.outputs.c_str());
  }
  std::printf("\n");
  std::fflush(stdout);
  while (true) Answer();
}
