// A C++ wrapper of TensorFlow's C interface for operations.
//
// Unlike the C++ interface, the C interface is stable from one release to the next, so that one
// binary works with many releases. An operation is a class with a constructor that reads its
// attributes and a method `Compute`, which throws `Invalid` for wrong inputs.

#ifndef TFVFI_OPS_NATIVE_KERNEL_H_
#define TFVFI_OPS_NATIVE_KERNEL_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace tfvfi {

struct Invalid : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void Require(bool condition, const char* message) {
  if (!condition) throw Invalid(message);
}

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  TF_Status* get() { return status_; }
  void Check() const {
    if (TF_GetCode(status_) != TF_OK) throw Invalid(TF_Message(status_));
  }

 private:
  TF_Status* status_;
};

class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor, TF_DeleteTensor) {}

  TF_DataType type() const { return TF_TensorType(tensor_.get()); }
  int rank() const { return TF_NumDims(tensor_.get()); }
  int64_t dim(int axis) const { return TF_Dim(tensor_.get(), axis); }
  int64_t size() const { return TF_TensorElementCount(tensor_.get()); }
  template <typename Number = float>
  Number* data() const {
    return static_cast<Number*>(TF_TensorData(tensor_.get()));
  }

  std::vector<int64_t> shape() const {
    std::vector<int64_t> dims(rank());
    for (int axis = 0; axis < rank(); ++axis) dims[axis] = dim(axis);
    return dims;
  }

 private:
  std::unique_ptr<TF_Tensor, void (*)(TF_Tensor*)> tensor_;
};

class Context {
 public:
  explicit Context(TF_OpKernelContext* context) : context_(context) {}

  int inputs() const { return TF_NumInputs(context_); }
  int outputs() const { return TF_NumOutputs(context_); }

  Tensor Input(int index) const {
    Status status;
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status.get());
    status.Check();
    return Tensor(tensor);
  }

  // Returns an image or a flow that is small enough for 32-bit indices along a row.
  Tensor Input4(int index) const {
    Tensor tensor = Input(index);
    Require(tensor.rank() == 4, "inputs must have four dimensions");
    Require(tensor.dim(1) < kMostPixels && tensor.dim(2) < kMostPixels, "an input is too large");
    Require(tensor.dim(2) * tensor.dim(3) < INT32_MAX, "an input is too wide");
    return tensor;
  }

  Tensor Output(int index, const std::vector<int64_t>& shape, TF_DataType type = TF_FLOAT) const {
    Status status;
    size_t bytes = TF_DataTypeSize(type);
    for (int64_t dim : shape) bytes *= dim;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, type, shape.data(),
                                          static_cast<int>(shape.size()), bytes, status.get());
    status.Check();
    return Tensor(tensor);
  }

 private:
  // Positions are float32, which represents all integers up to this one.
  static constexpr int64_t kMostPixels = 1 << 24;

  TF_OpKernelContext* context_;
};

class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction) {}

  int32_t Integer(const char* name) const {
    Status status;
    int32_t value = 0;
    TF_OpKernelConstruction_GetAttrInt32(construction_, name, &value, status.get());
    status.Check();
    return value;
  }

  bool Boolean(const char* name) const {
    Status status;
    unsigned char value = 0;
    TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status.get());
    status.Check();
    return value != 0;
  }

  TF_DataType Type(const char* name) const {
    Status status;
    TF_DataType value = TF_FLOAT;
    TF_OpKernelConstruction_GetAttrType(construction_, name, &value, status.get());
    status.Check();
    return value;
  }

 private:
  TF_OpKernelConstruction* construction_;
};

// Shape function: each output has the shape of one input, or one that is known only at run time.
template <int... inputs>
void ShapesOfInputs(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  int output = 0;
  for (int input : {inputs...}) {
    TF_ShapeInferenceContextGetInput(context, input, shape, status);
    if (TF_GetCode(status) != TF_OK) break;
    TF_ShapeInferenceContextSetOutput(context, output++, shape, status);
    if (TF_GetCode(status) != TF_OK) break;
  }
  TF_DeleteShapeHandle(shape);
}

inline void ShapeAtRunTime(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

struct Signature {
  const char* name;
  std::vector<const char*> inputs;
  std::vector<const char*> outputs;
  std::vector<const char*> attributes;
  void (*shapes)(TF_ShapeInferenceContext*, TF_Status*);
};

template <class Kernel>
void* Create(TF_OpKernelConstruction* construction) {
  try {
    return new Kernel(Attributes(construction));
  } catch (const std::exception& error) {
    Status status;
    TF_SetStatus(status.get(), TF_INVALID_ARGUMENT, error.what());
    TF_OpKernelConstruction_Failure(construction, status.get());
    return nullptr;
  }
}

template <class Kernel>
void Compute(void* kernel, TF_OpKernelContext* context) {
  try {
    static_cast<const Kernel*>(kernel)->Compute(Context(context));
  } catch (const std::exception& error) {
    Status status;
    TF_SetStatus(status.get(), TF_INVALID_ARGUMENT, error.what());
    TF_OpKernelContext_Failure(context, status.get());
  }
}

template <class Kernel>
void Delete(void* kernel) {
  delete static_cast<Kernel*>(kernel);
}

// Registers an operation with TensorFlow while the library is loaded.
template <class Kernel>
bool Register(const Signature& signature) {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(signature.name);
  for (const char* input : signature.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : signature.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  for (const char* attribute : signature.attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, signature.shapes);
  Status status;
  TF_RegisterOpDefinition(op, status.get());
  status.Check();
  TF_RegisterKernelBuilder(signature.name,
                           TF_NewKernelBuilder(signature.name, "CPU", Create<Kernel>,
                                               Compute<Kernel>, Delete<Kernel>),
                           status.get());
  status.Check();
  return true;
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_KERNEL_H_
