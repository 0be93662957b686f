// SPDX-License-Identifier: Apache-2.0
// docs/formats/model_artefact.md says how a pack is written.
#include "ml/partitioned/artefact_pack.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/base64.h"
#include "base/error.h"
#include "ml/artefact_json.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little);

// In place of a number; outside of its strings JSON has neither.
constexpr char kReal = '#';
constexpr char kWhole = '~';

bool BeginsNumber(char c) { return c == '-' || (c >= '0' && c <= '9'); }
bool IsOfNumber(char c) { return BeginsNumber(c) || c == '+' || c == '.' || c == 'e' || c == 'E'; }

// Calls text(run) for what is no number and number(token) for numbers.
template <typename OnText, typename OnNumber>
void Scan(std::string_view json, OnText text, OnNumber number) {
  size_t begin = 0;
  for (size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at)
        if (json[at] == '\\') ++at;
      ++at;
    } else if (BeginsNumber(json[at])) {
      text(json.substr(begin, at - begin));
      begin = at;
      while (at < json.size() && IsOfNumber(json[at])) ++at;
      number(json.substr(begin, at - begin));
      begin = at;
    } else {
      ++at;
    }
  }
  text(json.substr(std::min(begin, json.size())));
}

// Calls text(run) and place(is_real) for a shape.
template <typename OnText, typename OnPlace>
void ScanShape(std::string_view shape, OnText text, OnPlace place) {
  size_t begin = 0;
  for (size_t at = 0; at < shape.size(); ++at) {
    if (shape[at] == '"') {
      for (++at; at < shape.size() && shape[at] != '"'; ++at)
        if (shape[at] == '\\') ++at;
    } else if (shape[at] == kReal || shape[at] == kWhole) {
      text(shape.substr(begin, at - begin));
      place(shape[at] == kReal);
      begin = at + 1;
    }
  }
  text(shape.substr(std::min(begin, shape.size())));
}

void AppendNumber(std::string& text, double number, bool is_real) {
  if (!is_real) {
    fmt::format_to(std::back_inserter(text), "{}", std::bit_cast<int64_t>(number));
    return;
  }
  const size_t begin = text.size();
  fmt::format_to(std::back_inserter(text), "{}", number);
  if (text.find_first_of(".e", begin) == std::string::npos) text += ".0";
}

std::string Pack(const std::vector<double>& numbers) {
  return EncodeBase64({reinterpret_cast<const char*>(numbers.data()), numbers.size() * 8});
}

std::vector<double> Unpack(const Json& json) {
  const std::optional<std::string> bytes = DecodeBase64(json.get_ref<const std::string&>());
  if (!bytes || bytes->size() % 8 != 0) MalformedArtefact("packed numbers are cut short");
  std::vector<double> numbers(bytes->size() / 8);
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes->data(), bytes->size());
  return numbers;
}

bool SameBits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

}  // namespace

uint32_t ArtefactPack::ShapeOf(std::string text) {
  const auto found = shape_by_text_.find(text);
  if (found != shape_by_text_.end()) return found->second;
  Shape shape{.text = std::move(text), .is_real = {}};
  ScanShape(
      shape.text, [](std::string_view) {}, [&](bool is_real) { shape.is_real.push_back(is_real); });
  const auto index = static_cast<uint32_t>(shapes_.size());
  shape_by_text_.emplace(shape.text, index);
  shapes_.push_back(std::move(shape));
  return index;
}

void ArtefactPack::Add(std::string_view artefact) {
  std::string shape;
  const size_t first = numbers_.size();
  Scan(
      artefact, [&](std::string_view run) { shape += run; },
      [&](std::string_view token) {
        double real = 0;
        int64_t whole = 0;
        const bool is_real = token.find_first_of(".eE") != std::string_view::npos;
        const char* end = token.data() + token.size();
        const auto read = is_real ? std::from_chars(token.data(), end, real)
                                  : std::from_chars(token.data(), end, whole);
        if (read.ec != std::errc() || read.ptr != end)
          throw Error(ErrorCode::kInternal, "An artefact has a number that cannot be packed");
        shape += is_real ? kReal : kWhole;
        numbers_.push_back(is_real ? real : std::bit_cast<double>(whole));
      });
  shape_of_.push_back(ShapeOf(std::move(shape)));
  first_.push_back(first);
}

std::string ArtefactPack::Artefact(size_t entry) const {
  std::string text;
  const double* number = numbers_.data() + first_[entry];
  ScanShape(
      shapes_[shape_of_[entry]].text, [&](std::string_view run) { text += run; },
      [&](bool is_real) { AppendNumber(text, *number++, is_real); });
  return text;
}

std::vector<size_t> ArtefactPack::PositionsOf(uint32_t shape,
                                              const std::vector<std::string>& pointers) const {
  std::string numbered;
  int64_t next = 0;
  ScanShape(
      shapes_[shape].text, [&](std::string_view run) { numbered += run; },
      [&](bool) { numbered += fmt::format("{}", next++); });
  std::vector<size_t> positions;
  try {
    const Json json = Json::parse(numbered);
    for (const std::string& pointer : pointers)
      positions.push_back(json.at(Json::json_pointer(pointer)).get<size_t>());
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
  for (const size_t position : positions)
    if (position >= shapes_[shape].is_real.size() || !shapes_[shape].is_real[position])
      MalformedArtefact("a score's number is missing");
  return positions;
}

// By number of a shape: whether it is the same in all its entries.
std::vector<bool> ArtefactPack::Constants(uint32_t shape, std::span<const size_t> entries) const {
  std::vector<bool> constant(shapes_[shape].is_real.size(), true);
  for (const size_t entry : entries)
    for (size_t i = 0; i < constant.size(); ++i)
      if (!SameBits(numbers(entry)[i], numbers(entries[0])[i])) constant[i] = false;
  return constant;
}

Json ArtefactPack::ToJson() const {
  std::vector<std::vector<size_t>> entries_of(shapes_.size());
  for (size_t entry = 0; entry < size(); ++entry) entries_of[shape_of_[entry]].push_back(entry);
  Json shapes = Json::array();
  for (uint32_t shape = 0; shape < shapes_.size(); ++shape) {
    const std::vector<size_t>& entries = entries_of[shape];
    const std::vector<bool> constant = Constants(shape, entries);
    std::string constants;
    std::vector<double> common;
    std::vector<double> own;
    for (size_t i = 0; i < constant.size(); ++i) {
      constants += constant[i] ? '1' : '0';
      if (constant[i]) common.push_back(numbers(entries[0])[i]);
    }
    for (const size_t entry : entries)
      for (size_t i = 0; i < constant.size(); ++i)
        if (!constant[i]) own.push_back(numbers(entry)[i]);
    shapes.push_back({{"text", shapes_[shape].text},
                      {"constant", std::move(constants)},
                      {"common", Pack(common)},
                      {"own", Pack(own)}});
  }
  return {{"shape_of", shape_of_}, {"shapes", std::move(shapes)}};
}

void ArtefactPack::ReadShape(const Json& json, std::span<const size_t> entries) {
  const uint32_t index = ShapeOf(json.at("text").get<std::string>());
  if (index + 1 != shapes_.size()) MalformedArtefact("a shape stands twice");
  const std::vector<bool>& is_real = shapes_.back().is_real;
  const std::string constant = json.at("constant").get<std::string>();
  const std::vector<double> common = Unpack(json.at("common"));
  const std::vector<double> own = Unpack(json.at("own"));
  const auto shared = static_cast<size_t>(std::count(constant.begin(), constant.end(), '1'));
  if (constant.size() != is_real.size() || common.size() != shared ||
      own.size() != (constant.size() - shared) * entries.size())
    MalformedArtefact("packed numbers do not fit their shape");
  size_t next_own = 0;
  for (const size_t entry : entries) {
    size_t next_common = 0;
    for (size_t i = 0; i < constant.size(); ++i) {
      const double number = constant[i] == '1' ? common[next_common++] : own[next_own++];
      if (is_real[i] && !std::isfinite(number)) MalformedArtefact("a number is not finite");
      numbers_[first_[entry] + i] = number;
    }
  }
}

ArtefactPack ArtefactPack::FromJson(const Json& json) {
  ArtefactPack pack;
  pack.shape_of_ = json.at("shape_of").get<std::vector<uint32_t>>();
  const Json& shapes = json.at("shapes");
  std::vector<size_t> sizes;
  for (const Json& shape : shapes) sizes.push_back(shape.at("constant").get<std::string>().size());
  std::vector<std::vector<size_t>> entries_of(sizes.size());
  size_t total = 0;
  for (size_t entry = 0; entry < pack.size(); ++entry) {
    const uint32_t shape = pack.shape_of_[entry];
    if (shape >= sizes.size()) MalformedArtefact("an entry has no shape");
    entries_of[shape].push_back(entry);
    pack.first_.push_back(total);
    total += sizes[shape];
  }
  pack.numbers_.resize(total);
  for (size_t shape = 0; shape < sizes.size(); ++shape)
    pack.ReadShape(shapes[shape], entries_of[shape]);
  return pack;
}

}  // namespace braid::ml
