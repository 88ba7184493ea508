// Loads an export as TensorFlow Serving does, without Python, and interpolates two PNG files.
//
//   load_saved_model SAVED_MODEL FIRST.png SECOND.png TIME OUTPUT.png
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session_options.h"

namespace {

tensorflow::Tensor OneFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  tensorflow::Tensor tensor(tensorflow::DT_STRING, tensorflow::TensorShape({1}));
  tensor.flat<tensorflow::tstring>()(0) =
      std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return tensor;
}

int Fail(const std::string& reason) {
  std::cerr << reason << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return Fail("five arguments are needed");
  tensorflow::SavedModelBundleLite bundle;
  auto status = tensorflow::LoadSavedModel(tensorflow::SessionOptions(), tensorflow::RunOptions(),
                                           argv[1], {"serve"}, &bundle);
  if (!status.ok()) return Fail(std::string(status.message()));
  const auto found = bundle.GetSignatures().find("interpolate_encoded");
  if (found == bundle.GetSignatures().end()) return Fail("no signature interpolate_encoded");
  const auto& signature = found->second;
  tensorflow::Tensor time(tensorflow::DT_FLOAT, tensorflow::TensorShape({1}));
  time.flat<float>()(0) = std::strtof(argv[4], nullptr);
  std::vector<tensorflow::Tensor> outputs;
  status = bundle.GetSession()->Run({{signature.inputs().at("frame0_bytes").name(), OneFile(argv[2])},
                                     {signature.inputs().at("frame1_bytes").name(), OneFile(argv[3])},
                                     {signature.inputs().at("time").name(), time}},
                                    {signature.outputs().at("frame_bytes").name()}, {}, &outputs);
  if (!status.ok()) return Fail(std::string(status.message()));
  const std::string image = outputs[0].flat<tensorflow::tstring>()(0);
  std::ofstream(argv[5], std::ios::binary) << image;
  return 0;
}
