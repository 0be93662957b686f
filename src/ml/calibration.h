// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace braid::ml {

// Probabilities that were given to some event, and whether it came; equal ones stand together.
// Keeps 16 bytes a row until Groups; what several threads gathered is merged.
class ProbabilityRows {
 public:
  struct Group {
    double probability = 0;
    double rows = 0;
    double positives = 0;
  };
  // A probability that is no number is left out.
  void Add(double probability, bool positive);
  void Merge(const ProbabilityRows& other);
  // By rising probability.
  std::vector<Group> Groups() const;

 private:
  struct Row {
    double probability;
    bool positive;
  };
  std::vector<Row> rows_;
};

enum class CalibrationMethod : uint8_t { kIsotonic, kSigmoid };

// A rising map from a model's probabilities to those that calibration rows bear out.
//
// kIsotonic: the rising step function with the least squares (pool adjacent violators: Barlow et
// al. 1972; Zadrozny and Elkan 2002), linear between its steps and constant beyond the rows.
// kSigmoid: 1 / (1 + exp(-(slope · f + intercept))) of the log odds f, with the most likelihood for
// Platt's (2000) targets (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2).
class CalibrationMap {
 public:
  // Throws TRAINING_DATA when all rows are positive, or none is.
  static CalibrationMap Fit(CalibrationMethod method,
                            std::span<const ProbabilityRows::Group> groups);
  double Apply(double probability) const;

  // kIsotonic: probability and answer of each corner; kSigmoid: slope and intercept.
  std::span<const double> parameters() const { return parameters_; }

  // Bytes that ReadNext takes off the front of a text of several maps.
  std::string ToBytes() const;
  static CalibrationMap ReadNext(std::string_view& bytes);

 private:
  CalibrationMap(CalibrationMethod method, std::vector<double> parameters)
      : method_(method), parameters_(std::move(parameters)) {}
  CalibrationMethod method_;
  std::vector<double> parameters_;
};

// Makes calibrated probabilities of several classes, each calibrated against the rest, add up to 1;
// if all are 0 they become equal.
void Normalise(std::span<double> probabilities);

}  // namespace braid::ml
