// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <string>
#include <utility>

#include "catalog/place.h"
#include "flow/graph_order_internal.h"

namespace braid::flow {

namespace {

// Kahn's algorithm; of those that can come next, the first by name does.
class Ordering {
 public:
  Ordering(Graph& graph, const ReadPlaces& reads) : graph_(graph), reads_(reads) {}

  void Run() {
    const size_t count = graph_.nodes.size();
    readers_.resize(count);
    std::vector<size_t> waiting(count);
    std::set<std::pair<std::string, size_t>> ready;
    for (size_t at = 0; at < count; ++at) {
      waiting[at] = reads_[at].size();
      if (waiting[at] == 0) ready.emplace(graph_.nodes[at].name, at);
      for (const auto& entry : reads_[at]) readers_[entry.first].push_back(at);
    }
    while (!ready.empty()) {
      const size_t at = ready.begin()->second;
      ready.erase(ready.begin());
      order_.push_back(at);
      for (const size_t reader : readers_[at])
        if (--waiting[reader] == 0) ready.emplace(graph_.nodes[reader].name, reader);
    }
    std::set<std::pair<std::string, size_t>> left;
    for (size_t at = 0; at < count; ++at)
      if (waiting[at] > 0) left.emplace(graph_.nodes[at].name, at);
    for (const auto& entry : left) order_.push_back(entry.second);
    ReportCircles(left);
    Apply();
  }

 private:
  // The shortest circle of each knot, told from its first node by name.
  void ReportCircles(const std::set<std::pair<std::string, size_t>>& left) {
    std::set<size_t> open;
    for (const auto& entry : left) open.insert(entry.second);
    for (const auto& entry : left) {
      if (!open.contains(entry.second)) continue;
      const std::vector<size_t> circle = CircleOf(entry.second, open);
      if (circle.empty()) continue;
      Report(circle);
      for (const size_t at : circle) open.erase(at);
    }
  }

  // A shortest way along reads from a node back to itself, as [start, what it reads, …].
  std::vector<size_t> CircleOf(size_t start, const std::set<size_t>& open) const {
    std::map<size_t, size_t> reached_from;
    std::queue<size_t> next;
    next.push(start);
    while (!next.empty()) {
      const size_t at = next.front();
      next.pop();
      for (const auto& [source, offset] : reads_[at]) {
        if (source == start) {
          std::vector<size_t> circle = {at};
          while (circle.back() != start) circle.push_back(reached_from.at(circle.back()));
          std::reverse(circle.begin(), circle.end());
          return circle;
        }
        if (!open.contains(source) || !reached_from.emplace(source, at).second) continue;
        next.push(source);
      }
    }
    return {};
  }

  void Report(const std::vector<size_t>& circle) {
    const Node& first = graph_.nodes[circle.front()];
    const size_t read = circle.size() > 1 ? circle[1] : circle[0];
    std::string text = first.name;
    for (size_t i = circle.size(); i-- > 0;) text += " → " + graph_.nodes[circle[i]].name;
    graph_.problems.push_back(catalog::PlaceInFile(
        Error(ErrorCode::kCycle,
              fmt::format("Declarations depend on each other in a circle: {}", text),
              "only inference.* and feedback.* close a loop: a run reads them as they stood when "
              "it began"),
        first.object, reads_[circle.front()].at(read)));
  }

  void Apply() {
    std::vector<size_t> place(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) place[order_[i]] = i;
    std::vector<Node> nodes;
    nodes.reserve(order_.size());
    for (const size_t at : order_) {
      Node& node = nodes.emplace_back(std::move(graph_.nodes[at]));
      for (const auto& entry : reads_[at]) node.upstream.push_back(place[entry.first]);
      for (const size_t reader : readers_[at]) node.downstream.push_back(place[reader]);
      std::sort(node.upstream.begin(), node.upstream.end());
      std::sort(node.downstream.begin(), node.downstream.end());
    }
    graph_.nodes = std::move(nodes);
  }

  Graph& graph_;
  const ReadPlaces& reads_;
  std::vector<std::vector<size_t>> readers_;
  std::vector<size_t> order_;
};

}  // namespace

void OrderNodes(Graph& graph, const ReadPlaces& reads) { Ordering(graph, reads).Run(); }

}  // namespace braid::flow
