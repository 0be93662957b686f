// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string_view>

#include "base/text.h"
#include "flow/graph.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

// Whether a text fits a pattern in which * stands for any text.
bool Fits(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t after_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool Fits(std::string_view pattern, const Node& node) {
  const std::string& key = node.object.key;
  if (Fits(pattern, node.name) || Fits(pattern, key)) return true;
  const bool in_main = !node.target.empty() && key.starts_with("main.");
  return in_main && Fits(pattern, std::string_view(key).substr(5));
}

void AddReachable(const Graph& graph, size_t at, std::vector<size_t> Node::* direction,
                  std::set<size_t>& selected) {
  std::vector<size_t> next = {at};
  std::set<size_t> seen = {at};
  while (!next.empty()) {
    const size_t current = next.back();
    next.pop_back();
    selected.insert(current);
    for (const size_t neighbour : graph.nodes[current].*direction)
      if (seen.insert(neighbour).second) next.push_back(neighbour);
  }
}

[[noreturn]] void FailUnknown(const Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    names.push_back(node.name);
    if (node.name != node.object.key) names.push_back(node.object.key);
  }
  const auto close = ClosestMatch(name, names);
  throw Error(ErrorCode::kNotFound, fmt::format("No declaration is selected by: {}", name),
              close ? fmt::format("did you mean {}?", *close)
                    : "braid plan lists the declarations; gold.* selects all of a schema");
}

}  // namespace

std::set<size_t> Select(const Graph& graph, const std::vector<std::string>& selectors) {
  std::set<size_t> selected;
  if (selectors.empty())
    for (size_t at = 0; at < graph.nodes.size(); ++at) selected.insert(selected.end(), at);
  for (const std::string& selector : selectors) {
    std::string name = ToLower(selector);
    const bool before = name.starts_with('+');
    if (before) name.erase(0, 1);
    const bool after = name.ends_with('+');
    if (after) name.pop_back();
    bool found = false;
    for (size_t at = 0; at < graph.nodes.size(); ++at) {
      if (!Fits(name, graph.nodes[at])) continue;
      found = true;
      selected.insert(at);
      if (before) AddReachable(graph, at, &Node::upstream, selected);
      if (after) AddReachable(graph, at, &Node::downstream, selected);
    }
    if (!found) FailUnknown(graph, name);
  }
  return selected;
}

}  // namespace braid::flow
