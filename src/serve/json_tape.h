// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid::serve {

// A parsed JSON text as a flat list of nodes in reading order: a container is followed by its
// children (an object's alternate between keys and values), and `next` is where its sibling stands.
// Strict: refuses bytes that are not UTF-8, keys that come twice in an object, and too deep
// nesting. Numbers keep their digits. Immutable once made.
class JsonTape {
 public:
  enum class Kind : uint8_t {
    kNull,
    kFalse,
    kTrue,
    kInteger,
    kFloat,
    kString,
    kObject,
    kArray,
    kKey
  };
  using Index = uint32_t;

  // Throws Error MALFORMED_REQUEST with line and column, or TOO_LARGE.
  JsonTape(std::string_view text, size_t max_depth);

  static constexpr Index kRoot = 0;
  Kind kind(Index node) const { return nodes_[node].kind; }
  // The text of a key or string, unescaped; the digits of a number.
  std::string_view text(Index node) const {
    return std::string_view(text_).substr(nodes_[node].begin, nodes_[node].size);
  }
  // The first child of a container; the container ends before Next(container).
  static Index First(Index container) { return container + 1; }
  Index Next(Index node) const { return nodes_[node].next; }
  // The number of an array's items or an object's fields.
  size_t Count(Index container) const { return nodes_[container].size; }

  // Appends the node as compact JSON.
  void Render(Index node, std::string& out) const;

 private:
  struct Node {
    Kind kind;
    uint32_t begin;  // in text_
    uint32_t size;
    uint32_t next;
  };
  class Reader;

  std::vector<Node> nodes_;
  std::string text_;
};

void AppendJsonString(std::string_view text, std::string& out);

// "an array", "a string": what a node is, for messages.
std::string_view DescribeKind(JsonTape::Kind kind);

}  // namespace braid::serve
