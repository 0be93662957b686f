// SPDX-License-Identifier: Apache-2.0
// How a graph's inputs and outputs become columns.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "ml/onnx/onnx_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::json;

constexpr size_t kMostInputs = 4096;  // columns of numbers; pictures are not tables

[[noreturn]] void Refuse(const std::string& what, const std::string& hint = "") {
  throw Error(ErrorCode::kModelImport, what, hint);
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape)
    text += (text.empty() ? "" : ", ") + (size < 0 ? std::string("?") : std::to_string(size));
  return "[" + text + "]";
}

bool HoldsNumbers(const OnnxPort& port) {
  return port.element != OnnxElement::kOther && port.element != OnnxElement::kString;
}
bool HoldsFractions(const OnnxPort& port) {
  return port.element == OnnxElement::kFloat || port.element == OnnxElement::kDouble;
}

constexpr std::string_view kPredicted = "predicted_";

}  // namespace

// A size that the file leaves open is what INPUT's columns leave for it.
OnnxModel::Feed OnnxModel::MakeFeed(const OnnxPort& port) {
  if (port.element == OnnxElement::kOther)
    Refuse("An input of the file takes what columns do not hold: " + port.name,
           "its tensors must be of float, double, int32, int64, bool or string");
  if (port.shape.empty() || port.shape[0] > 1 || port.shape[0] == 0)
    Refuse(fmt::format("An input of the file has no dimension for rows: {} {}", port.name,
                       ShapeText(port.shape)),
           "export the model with a first dimension that is open");
  one_row_ = one_row_ || port.shape[0] == 1;
  Feed feed{.shape = {port.shape.begin() + 1, port.shape.end()}};
  const auto open =
      std::count_if(feed.shape.begin(), feed.shape.end(), [](int64_t size) { return size < 0; });
  for (const int64_t size : feed.shape) {
    if (size == 0) Refuse("An input of the file is empty: " + port.name);
    if (size > static_cast<int64_t>(kMostInputs))
      Refuse(fmt::format("An input of the file takes more than {} numbers: {}", kMostInputs,
                         port.name));
    if (size > 0) feed.width *= static_cast<size_t>(size);
    if (feed.width > kMostInputs)
      Refuse(fmt::format("An input of the file takes more than {} numbers: {}", kMostInputs,
                         port.name));
  }
  if (open > 0) {
    const size_t given = parts_.given.size();
    if (open > 1 || session_.inputs().size() > 1 || given == 0 || given % feed.width != 0)
      Refuse(fmt::format("An input of the file does not say how wide it is: {} {}", port.name,
                         ShapeText(port.shape)),
             session_.inputs().size() == 1 ? "name the columns: CREATE MODEL … INPUT (a DOUBLE, …)"
                                           : "export the model with fixed widths");
    for (int64_t& size : feed.shape)
      if (size < 0) size = static_cast<int64_t>(given / feed.width);
    feed.width = given;
  }
  return feed;
}

void OnnxModel::MakeFeeds() {
  for (const OnnxPort& port : session_.inputs()) feeds_.push_back(MakeFeed(port));
  if (feeds_.empty()) Refuse("The file's graph has no inputs");
}

// What Braid's own export says beside the graph.
void OnnxModel::ReadSignature() {
  const std::optional<std::string> text = session_.Metadata("braid.signature");
  if (!text) return;
  try {
    const Json signature = Json::parse(*text);
    for (const Json& input : signature.at("inputs"))
      for (size_t n = 0; n < feeds_.size(); ++n)
        if (session_.inputs()[n].name == input.at("name") && input.at("type") == "string") {
          feeds_[n].null_text = input.at("null").get<std::string>();
          feeds_[n].has_null_text = true;
        }
    const Json& outputs = signature.at("outputs");
    const auto predicted = outputs.at(0).at("name").get<std::string>();
    if (parts_.label.empty() && predicted.starts_with(kPredicted))
      parts_.label = predicted.substr(kPredicted.size());
    if (parts_.classes.texts.empty() && outputs.size() > 1) {
      parts_.classes.texts = outputs[1].at("classes").get<std::vector<std::string>>();
      parts_.classes.type = "VARCHAR";
    }
    if (parts_.output.empty())
      parts_.output = outputs[outputs.size() - 1].at("name").get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    Refuse(fmt::format("The file's braid.signature is malformed: {}", error.what()));
  }
}

void OnnxModel::NameInputs() {
  for (size_t n = 0; n < feeds_.size(); ++n) {
    const OnnxPort& port = session_.inputs()[n];
    const size_t width = feeds_[n].width;
    const InputKind kind =
        port.element == OnnxElement::kString ? InputKind::kCategory : InputKind::kNumeric;
    if (parts_.given.empty()) columns_.push_back({port.name, width > 1 ? width : 0});
    for (size_t i = 0; i < width; ++i)
      inputs_.push_back({width > 1 ? fmt::format("{}[{}]", port.name, i + 1) : port.name, kind});
  }
  if (inputs_.size() > kMostInputs)
    Refuse(fmt::format("The file's inputs take more than {} numbers", kMostInputs));
  if (parts_.given.empty()) return;
  if (parts_.given.size() != inputs_.size())
    Refuse(fmt::format("INPUT names {} columns, the file takes {}", parts_.given.size(),
                       inputs_.size()));
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].kind != parts_.given[i].kind)
      Refuse(fmt::format("INPUT gives a {} for {}, the file takes {}",
                         parts_.given[i].kind == InputKind::kNumeric ? "number" : "text",
                         parts_.given[i].name,
                         inputs_[i].kind == InputKind::kNumeric ? "numbers" : "texts"));
    inputs_[i].name = parts_.given[i].name;
    columns_.push_back({inputs_[i].name, 0});
  }
}

size_t OnnxModel::WidthOf(const OnnxNumbers& numbers, size_t rows) const {
  if (rows == 0 || numbers.shape.empty() || numbers.shape[0] != static_cast<int64_t>(rows))
    return 0;
  return numbers.values.size() / rows;
}

// The graph is run on rows of zeros and empty texts to see what comes.
void OnnxModel::ChooseOutputs() {
  const size_t rows = one_row_ ? 1 : 2;
  std::vector<OnnxValues> nothing;
  for (size_t n = 0; n < feeds_.size(); ++n) {
    OnnxValues& values = nothing.emplace_back();
    values.shape = {static_cast<int64_t>(rows)};
    values.shape.insert(values.shape.end(), feeds_[n].shape.begin(), feeds_[n].shape.end());
    if (session_.inputs()[n].element == OnnxElement::kString)
      values.values = std::vector<std::string_view>(rows * feeds_[n].width, std::string_view());
    else
      values.values = std::vector<double>(rows * feeds_[n].width, 0);
  }
  std::vector<size_t> numeric;
  std::string seen;
  for (size_t n = 0; n < session_.outputs().size(); ++n) {
    const OnnxPort& port = session_.outputs()[n];
    if (HoldsNumbers(port)) numeric.push_back(n);
    seen += (seen.empty() ? "" : ", ") + port.name +
            (HoldsNumbers(port) ? " " + ShapeText(port.shape) : " (no numbers)");
  }
  if (numeric.empty())
    Refuse("No output of the file is a tensor of numbers: " + seen,
           "export classifiers with an output of probabilities as a tensor (skl2onnx: zipmap "
           "False)");
  std::vector<OnnxNumbers> answers;
  try {
    answers = session_.Run(nothing, numeric);
  } catch (const Error& error) {
    Refuse("The file's graph does not run: " + error.message());
  }
  const size_t classes = classes_.size();
  for (size_t i = 0; i < numeric.size(); ++i) {
    const OnnxPort& port = session_.outputs()[numeric[i]];
    const size_t width = WidthOf(answers[i], rows);
    if (width == 0 || (!parts_.output.empty() && port.name != parts_.output)) continue;
    if (classes > 0 && width != classes && !(classes == 2 && width == 1)) continue;
    if (classes > 0 && !HoldsFractions(port)) continue;
    if (classes == 0 && !parts_.label.empty() && width != 1) continue;
    outputs_.push_back(numeric[i]);
    widths_.push_back(width);
    if (!parts_.label.empty()) break;
    if (names_.size() + width > kMostInputs)
      Refuse(fmt::format("The file's outputs are more than {} numbers", kMostInputs));
    for (size_t k = 0; k < width; ++k)
      names_.push_back(width == 1 ? port.name : fmt::format("{}_{}", port.name, k + 1));
  }
  if (!outputs_.empty()) return;
  const std::string wanted = classes > 0            ? fmt::format("{} probabilities", classes)
                             : parts_.label.empty() ? std::string("numbers for each row")
                                                    : std::string("one number for each row");
  Refuse(fmt::format("No output of the file gives {}{}{}", wanted,
                     parts_.output.empty() ? "" : ": ", parts_.output),
         "its outputs: " + seen);
}

}  // namespace braid::ml
