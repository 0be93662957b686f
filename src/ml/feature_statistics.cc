// SPDX-License-Identifier: Apache-2.0
#include "ml/feature_statistics.h"

#include "ml/table.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

std::optional<double> Number(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

NumberStatistics ReadNumbers(const Json& json) {
  NumberStatistics numbers{.rows = json.at("rows"),
                           .nulls = json.at("nulls"),
                           .infinite = json.at("infinite"),
                           .minimum = Number(json, "min"),
                           .maximum = Number(json, "max"),
                           .mean = Number(json, "mean"),
                           .median = Number(json, "median"),
                           .standard_deviation = Number(json, "stddev")};
  numbers.histogram = {numbers.minimum.value_or(0), numbers.maximum.value_or(0),
                       json.at("histogram").get<std::vector<double>>()};
  return numbers;
}

CategoryStatistics ReadCategories(const Json& json) {
  CategoryStatistics categories{
      .rows = json.at("rows"), .nulls = json.at("nulls"), .categories = json.at("categories")};
  for (const Json& item : json.at("most"))
    categories.most.emplace_back(item.at(0).get<std::string>(), item.at(1).get<int64_t>());
  return categories;
}

}  // namespace

Json ToJson(const FeatureStatistics& statistics) {
  Json json = {{"name", statistics.name}};
  if (const auto* numbers = std::get_if<NumberStatistics>(&statistics.values)) {
    json.update({{"rows", numbers->rows},
                 {"nulls", numbers->nulls},
                 {"infinite", numbers->infinite},
                 {"min", OrNull(numbers->minimum)},
                 {"max", OrNull(numbers->maximum)},
                 {"mean", OrNull(numbers->mean)},
                 {"median", OrNull(numbers->median)},
                 {"stddev", OrNull(numbers->standard_deviation)},
                 {"histogram", numbers->histogram.counts}});
  } else {
    const auto& categories = std::get<CategoryStatistics>(statistics.values);
    Json most = Json::array();
    for (const auto& [text, count] : categories.most) most.push_back(Json::array({text, count}));
    json.update({{"rows", categories.rows},
                 {"nulls", categories.nulls},
                 {"categories", categories.categories},
                 {"most", std::move(most)}});
  }
  if (statistics.dimension) json["dimension"] = *statistics.dimension;
  return json;
}

FeatureStatistics ReadFeatureStatistics(const Json& json) {
  FeatureStatistics statistics{.name = json.value("name", ""), .values = NumberStatistics{}};
  if (json.contains("most")) {
    statistics.values = ReadCategories(json);
  } else {
    statistics.values = ReadNumbers(json);
  }
  if (json.contains("dimension")) statistics.dimension = json.at("dimension").get<int64_t>();
  return statistics;
}

}  // namespace braid::ml
