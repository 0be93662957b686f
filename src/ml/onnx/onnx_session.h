// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace braid::ml {

// What a tensor holds, as far as tables have it.
enum class OnnxElement : uint8_t { kFloat, kDouble, kInt32, kInt64, kBool, kString, kOther };

struct OnnxPort {
  std::string name;
  OnnxElement element = OnnxElement::kOther;  // kOther: other numbers, or no tensor at all
  std::vector<int64_t> shape;                 // -1: known only when the model runs
};

// Values of one input, row by row: numbers for all elements but texts.
struct OnnxValues {
  std::vector<int64_t> shape;
  std::variant<std::vector<double>, std::vector<std::string_view>> values;
};

// One output of numbers.
struct OnnxNumbers {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

// A graph that ONNX Runtime has loaded: https://onnxruntime.ai/docs/api/c. Run may be called by any
// number of threads at once; each runs on its own thread alone. Failures of the library are
// kModelImport while loading, kModelInput while running.
class OnnxSession {
 public:
  explicit OnnxSession(std::string_view file);
  ~OnnxSession();
  OnnxSession(const OnnxSession&) = delete;
  OnnxSession& operator=(const OnnxSession&) = delete;

  const std::vector<OnnxPort>& inputs() const { return inputs_; }
  const std::vector<OnnxPort>& outputs() const { return outputs_; }
  // A text that the file's maker attached to it.
  std::optional<std::string> Metadata(const std::string& key) const;
  // `values` in the order of inputs(); `wanted` are places in outputs() that hold numbers.
  std::vector<OnnxNumbers> Run(const std::vector<OnnxValues>& values,
                               std::span<const size_t> wanted) const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
  std::vector<OnnxPort> inputs_;
  std::vector<OnnxPort> outputs_;
};

}  // namespace braid::ml
