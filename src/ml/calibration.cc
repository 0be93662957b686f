// SPDX-License-Identifier: Apache-2.0
#include "ml/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/error.h"

namespace braid::ml {

namespace {

using Groups = std::span<const ProbabilityRows::Group>;

constexpr double kLeastProbability = 1e-15;

double LogOdds(double probability) {
  const double p = std::clamp(probability, kLeastProbability, 1 - kLeastProbability);
  return std::log(p) - std::log1p(-p);
}

double Sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : 1 - 1 / (1 + std::exp(x)); }

// log(1 + exp(x))
double SoftPlus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

std::vector<double> Isotonic(Groups groups) {
  struct Block {
    double rows;
    double positives;
    size_t groups;
    double mean() const { return positives / rows; }
  };
  std::vector<Block> blocks;
  for (const ProbabilityRows::Group& group : groups) {
    blocks.push_back({group.rows, group.positives, 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() >= blocks.back().mean()) {
      const Block last = blocks.back();
      blocks.pop_back();
      blocks.back().rows += last.rows;
      blocks.back().positives += last.positives;
      blocks.back().groups += last.groups;
    }
  }
  // The first and the last probability of each block.
  std::vector<double> corners;
  size_t at = 0;
  for (const Block& block : blocks) {
    corners.insert(corners.end(), {groups[at].probability, block.mean()});
    at += block.groups;
    if (block.groups > 1) corners.insert(corners.end(), {groups[at - 1].probability, block.mean()});
  }
  return corners;
}

// Newton's method with halved steps, as Lin, Lin and Weng (2007) advise.
class SigmoidFit {
 public:
  SigmoidFit(Groups groups, double positives, double negatives)
      : groups_(groups),
        positive_target_((positives + 1) / (positives + 2)),
        negative_target_(1 / (negatives + 2)) {
    for (const ProbabilityRows::Group& group : groups) {
      log_odds_.push_back(LogOdds(group.probability));
      target_sums_.push_back(group.positives * positive_target_ +
                             (group.rows - group.positives) * negative_target_);
    }
  }

  std::vector<double> Run() const {
    double total = 0;
    double targets = 0;
    for (size_t i = 0; i < groups_.size(); ++i) {
      total += groups_[i].rows;
      targets += target_sums_[i];
    }
    double slope = 0;
    double intercept = LogOdds(targets / total);
    // One probability alone says nothing of a slope.
    if (groups_.size() == 1) return {slope, intercept};
    double loss = Loss(slope, intercept);
    for (int iteration = 0; iteration < kMostIterations; ++iteration) {
      const Step step = NewtonStep(slope, intercept);
      double size = 1;
      double next = 0;
      for (; size > kLeastStep; size /= 2) {
        next = Loss(slope + size * step.slope, intercept + size * step.intercept);
        if (next <= loss) break;
      }
      if (!(size > kLeastStep)) break;
      slope += size * step.slope;
      intercept += size * step.intercept;
      loss = next;
      if (std::abs(step.slope) <= kPrecision * std::max(1.0, std::abs(slope)) &&
          std::abs(step.intercept) <= kPrecision * std::max(1.0, std::abs(intercept)))
        break;
    }
    return {slope, intercept};
  }

 private:
  static constexpr int kMostIterations = 100;
  static constexpr double kLeastStep = 1e-10;
  static constexpr double kPrecision = 1e-13;

  struct Step {
    double slope;
    double intercept;
  };

  double Loss(double slope, double intercept) const {
    double loss = 0;
    for (size_t i = 0; i < groups_.size(); ++i) {
      const double score = slope * log_odds_[i] + intercept;
      loss += groups_[i].rows * SoftPlus(score) - target_sums_[i] * score;
    }
    return loss;
  }

  Step NewtonStep(double slope, double intercept) const {
    double slope_gradient = 0;
    double intercept_gradient = 0;
    double weights = 0;
    double mean = 0;
    for (size_t i = 0; i < groups_.size(); ++i) {
      const double p = Sigmoid(slope * log_odds_[i] + intercept);
      const double error = groups_[i].rows * p - target_sums_[i];
      const double weight = groups_[i].rows * p * (1 - p);
      slope_gradient += error * log_odds_[i];
      intercept_gradient += error;
      weights += weight;
      mean += weight * log_odds_[i];
    }
    mean /= weights;
    // About the mean the two equations part.
    double spread = 0;
    for (size_t i = 0; i < groups_.size(); ++i) {
      const double p = Sigmoid(slope * log_odds_[i] + intercept);
      spread += groups_[i].rows * p * (1 - p) * (log_odds_[i] - mean) * (log_odds_[i] - mean);
    }
    const double along = spread > 0 ? -(slope_gradient - mean * intercept_gradient) / spread : 0;
    return {along, -intercept_gradient / weights - mean * along};
  }

  Groups groups_;
  double positive_target_;
  double negative_target_;
  std::vector<double> log_odds_;
  std::vector<double> target_sums_;
};

double Take(std::string_view& bytes) {
  double number = 0;
  BRAID_CHECK(bytes.size() >= sizeof(number));
  std::memcpy(&number, bytes.data(), sizeof(number));
  bytes.remove_prefix(sizeof(number));
  return number;
}

void Put(std::string& bytes, double number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

}  // namespace

void ProbabilityRows::Add(double probability, bool positive) {
  if (!std::isnan(probability)) rows_.push_back({probability, positive});
}

void ProbabilityRows::Merge(const ProbabilityRows& other) {
  rows_.insert(rows_.end(), other.rows_.begin(), other.rows_.end());
}

std::vector<ProbabilityRows::Group> ProbabilityRows::Groups() const {
  std::vector<Row> sorted = rows_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Row& a, const Row& b) { return a.probability < b.probability; });
  std::vector<Group> groups;
  for (const Row& row : sorted) {
    if (groups.empty() || groups.back().probability != row.probability)
      groups.push_back({row.probability, 0, 0});
    groups.back().rows += 1;
    groups.back().positives += row.positive ? 1 : 0;
  }
  return groups;
}

CalibrationMap CalibrationMap::Fit(CalibrationMethod method, Groups groups) {
  double rows = 0;
  double positives = 0;
  for (const ProbabilityRows::Group& group : groups) {
    rows += group.rows;
    positives += group.positives;
  }
  if (positives == 0 || positives == rows)
    throw Error(ErrorCode::kTrainingData,
                positives == 0 ? "A class of the model has no calibration rows"
                               : "All calibration rows are of one class",
                "calibrate on rows of each class that the model knows");
  return {method, method == CalibrationMethod::kIsotonic
                      ? Isotonic(groups)
                      : SigmoidFit(groups, positives, rows - positives).Run()};
}

double CalibrationMap::Apply(double probability) const {
  if (std::isnan(probability)) return probability;
  if (method_ == CalibrationMethod::kSigmoid)
    return Sigmoid(parameters_[0] * LogOdds(probability) + parameters_[1]);
  const size_t corners = parameters_.size() / 2;
  size_t below = 0;  // corners that are not above
  for (size_t width = corners; width > 0;) {
    const size_t half = width / 2;
    if (parameters_[2 * (below + half)] <= probability) {
      below += half + 1;
      width -= half + 1;
    } else {
      width = half;
    }
  }
  if (below == 0) return parameters_[1];
  const double* left = &parameters_[2 * (below - 1)];
  if (below == corners || left[0] == probability) return left[1];
  const double share = (probability - left[0]) / (left[2] - left[0]);
  return left[1] + share * (left[3] - left[1]);
}

std::string CalibrationMap::ToBytes() const {
  std::string bytes;
  Put(bytes, method_ == CalibrationMethod::kIsotonic ? 0 : 1);
  Put(bytes, static_cast<double>(parameters_.size()));
  for (const double parameter : parameters_) Put(bytes, parameter);
  return bytes;
}

CalibrationMap CalibrationMap::ReadNext(std::string_view& bytes) {
  const auto method = Take(bytes) == 0 ? CalibrationMethod::kIsotonic : CalibrationMethod::kSigmoid;
  std::vector<double> parameters(static_cast<size_t>(Take(bytes)));
  for (double& parameter : parameters) parameter = Take(bytes);
  return {method, std::move(parameters)};
}

void Normalise(std::span<double> probabilities) {
  const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities)
    probability = sum > 0 ? probability / sum : 1 / static_cast<double>(probabilities.size());
}

}  // namespace braid::ml
