// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"

namespace braid::ml {

// Many artefacts (JSON texts) that differ in little but their numbers: the text around the numbers,
// the shape, is kept once for all that share it, and the numbers as 64 bits each. Not changed once
// filled, so that many threads may read one.
class ArtefactPack {
 public:
  void Add(std::string_view artefact);
  size_t size() const { return shape_of_.size(); }
  // A text that reads as the artefact that was added: equal keys, texts and numbers.
  std::string Artefact(size_t entry) const;

  size_t shape_count() const { return shapes_.size(); }
  uint32_t shape_of(size_t entry) const { return shape_of_[entry]; }
  // The numbers of an entry, in the order of its text. Whole numbers stand in it as they are in
  // memory: read those that the shape's `IsReal` names alone.
  const double* numbers(size_t entry) const { return numbers_.data() + first_[entry]; }
  bool IsReal(uint32_t shape, size_t number) const { return shapes_[shape].is_real[number]; }
  // Where the number at a JSON pointer ("/scores/0/intercept") stands among the shape's numbers.
  // Throws kLakeDamaged when there is none.
  std::vector<size_t> PositionsOf(uint32_t shape, const std::vector<std::string>& pointers) const;

  // What is the same in all artefacts of a shape is written once.
  nlohmann::ordered_json ToJson() const;
  // Throws kLakeDamaged.
  static ArtefactPack FromJson(const nlohmann::ordered_json& json);

 private:
  struct Shape {
    std::string text;           // with kReal or kWhole in the place of each number
    std::vector<bool> is_real;  // by number
  };
  uint32_t ShapeOf(std::string text);
  std::vector<bool> Constants(uint32_t shape, std::span<const size_t> entries) const;
  void ReadShape(const nlohmann::ordered_json& json, std::span<const size_t> entries);

  std::vector<Shape> shapes_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> shape_by_text_;
  std::vector<uint32_t> shape_of_;
  std::vector<size_t> first_;    // by entry: its first number
  std::vector<double> numbers_;  // the bits of an int64_t for a whole number
};

}  // namespace braid::ml
