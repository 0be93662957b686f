// SPDX-License-Identifier: Apache-2.0
#include "ml/gram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Columns of doubles; NaN is given as a cleared bit of validity, under it a value that must not
// count.
struct Columns {
  std::vector<std::vector<double>> values;
  std::vector<std::vector<uint64_t>> validity;

  explicit Columns(std::vector<std::vector<double>> columns, bool mark = true)
      : values(std::move(columns)) {
    for (std::vector<double>& column : values) {
      validity.emplace_back(column.size() / 64 + 1, 0);
      for (size_t row = 0; row < column.size(); ++row) {
        if (!std::isnan(column[row]) || !mark)
          validity.back()[row / 64] |= uint64_t{1} << (row % 64);
        else
          column[row] = 1e300;
      }
    }
  }
  Batch View() const {
    Batch batch{.rows = values[0].size(), .columns = {}};
    for (size_t c = 0; c < values.size(); ++c)
      batch.columns.push_back({ColumnKind::kDouble, values[c].data(), validity[c].data()});
    return batch;
  }
};

// Correlated numbers far from zero; every `missing`-th of the first two columns is missing.
std::vector<std::vector<double>> Sample(size_t rows, size_t columns, size_t missing,
                                        unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> sample(columns, std::vector<double>(rows));
  for (size_t row = 0; row < rows; ++row) {
    const double shared = normal(random);
    for (size_t c = 0; c < columns; ++c)
      sample[c][row] = 1000.0 * static_cast<double>(c) + shared + normal(random);
    for (size_t c = 0; c < 2 && missing > 0; ++c)
      if ((row + c) % missing == 0) sample[c][row] = kNan;
  }
  return sample;
}

// The moments by the textbook, in long doubles, after the means were filled in.
GramMoments Textbook(std::vector<std::vector<double>> columns) {
  const size_t n = columns.size();
  std::vector<size_t> kept;
  for (size_t row = 0; row < columns[0].size(); ++row)
    if (!std::isnan(columns[n - 1][row])) kept.push_back(row);
  GramMoments moments{.inputs = n - 1, .rows = static_cast<int64_t>(kept.size())};
  std::vector<std::vector<long double>> deviations(n);
  for (size_t c = 0; c < n; ++c) {
    long double sum = 0;
    int64_t values = 0;
    for (const size_t row : kept)
      if (!std::isnan(columns[c][row])) {
        sum += columns[c][row];
        ++values;
      }
    const long double mean = sum / static_cast<long double>(values);
    moments.mean.push_back(static_cast<double>(mean));
    if (c + 1 < n) moments.null_count.push_back(moments.rows - values);
    for (const size_t row : kept)
      deviations[c].push_back(std::isnan(columns[c][row]) ? 0 : columns[c][row] - mean);
  }
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      long double sum = 0;
      for (size_t row = 0; row < kept.size(); ++row) sum += deviations[i][row] * deviations[j][row];
      moments.centred.push_back(static_cast<double>(sum));
    }
  return moments;
}

void ExpectSame(const GramMoments& got, const GramMoments& right, double tolerance) {
  ASSERT_EQ(got.inputs, right.inputs);
  EXPECT_EQ(got.rows, right.rows);
  EXPECT_EQ(got.null_count, right.null_count);
  for (size_t i = 0; i < right.mean.size(); ++i)
    EXPECT_NEAR(got.mean[i], right.mean[i], tolerance * (1 + std::abs(right.mean[i])));
  for (size_t i = 0; i < right.centred.size(); ++i)
    EXPECT_NEAR(got.centred[i], right.centred[i],
                tolerance * (static_cast<double>(right.rows) + std::abs(right.centred[i])))
        << i;
}

GramAccumulator Gather(const std::vector<std::vector<double>>& columns, bool mark = true) {
  GramAccumulator gram(columns.size() - 1);
  gram.Add(Columns(columns, mark).View());
  return gram;
}

TEST(Gram, MatchesTheTextbookForAllSizes) {
  for (const size_t columns : {2U, 3U, 4U, 5U, 8U, 12U})
    for (const size_t rows : {1U, 3U, 64U, 255U, 256U, 257U, 1000U}) {
      const auto sample = Sample(rows, columns, 0, 7);
      ExpectSame(Gather(sample).Finish(), Textbook(sample), 1e-13);
    }
}

TEST(Gram, MissingNumbersTakeTheMeanOfTheOthers) {
  auto sample = Sample(1000, 5, 3, 11);
  ExpectSame(Gather(sample).Finish(), Textbook(sample), 1e-12);
  for (size_t row = 0; row < 1000; row += 17) sample[4][row] = kNan;
  const GramAccumulator gram = Gather(sample);
  EXPECT_EQ(gram.skipped(), 59);
  ExpectSame(gram.Finish(), Textbook(sample), 1e-12);
}

TEST(Gram, NanIsNull) {
  auto sample = Sample(700, 4, 5, 3);
  sample[3][13] = kNan;
  ExpectSame(Gather(sample, /*mark=*/false).Finish(), Textbook(sample), 1e-12);
}

TEST(Gram, MergedPartsEqualOnePass) {
  auto whole = Sample(1500, 5, 4, 5);
  // Parts far from each other, one of them without missing values, one without any value of an
  // input.
  for (size_t row = 0; row < 500; ++row) {
    for (size_t c = 0; c < 5; ++c)
      if (std::isnan(whole[c][row])) whole[c][row] = 4;
    whole[1][1000 + row] = kNan;
    whole[2][500 + row] += 50;
  }
  GramAccumulator merged(4);
  for (const std::ptrdiff_t part : {2, 0, 1}) {
    std::vector<std::vector<double>> columns;
    for (const auto& column : whole)
      columns.emplace_back(column.begin() + 500 * part, column.begin() + 500 * part + 500);
    merged.Merge(Gather(columns));
  }
  merged.Merge(GramAccumulator(4));
  ExpectSame(merged.Finish(), Textbook(whole), 1e-12);
}

TEST(Gram, SameBatchesGiveTheSameBytes) {
  const auto sample = Sample(5000, 6, 9, 2);
  EXPECT_EQ(Gather(sample).Serialize(), Gather(sample).Serialize());
}

TEST(Gram, ConstantColumnsHaveNoDeviation) {
  const GramMoments moments =
      Gather({std::vector<double>(999, 0.1), std::vector<double>(999, 1e9 + 0.3)}).Finish();
  EXPECT_EQ(moments.centred, std::vector<double>(4, 0.0));
  EXPECT_EQ(moments.mean, (std::vector<double>{0.1, 1e9 + 0.3}));
}

TEST(Gram, FarFromZeroKeepsItsDigits) {
  std::vector<std::vector<double>> columns(2);
  for (int row = 0; row < 10'000; ++row) {
    columns[0].push_back(1e9 + row % 7);
    columns[1].push_back(-1e9 - 2 * (row % 7));
  }
  ExpectSame(Gather(columns).Finish(), Textbook(columns), 1e-12);
}

TEST(Gram, StatesSurviveAsBytes) {
  const auto sample = Sample(900, 4, 6, 8);
  const GramAccumulator gram = Gather(sample);
  const std::string bytes = gram.Serialize();
  GramAccumulator back = GramAccumulator::Deserialize(bytes);
  EXPECT_EQ(back.Serialize(), bytes);
  ExpectSame(back.Finish(), Textbook(sample), 1e-12);
  for (size_t length = 0; length < bytes.size(); length += 5)
    EXPECT_THROW(GramAccumulator::Deserialize(bytes.substr(0, length)), Error);
  EXPECT_THROW(GramAccumulator::Deserialize(bytes + "x"), Error);
  std::string huge = bytes;
  huge[8 + 6] = '\x7f';
  EXPECT_THROW(GramAccumulator::Deserialize(huge), Error);
}

TEST(Gram, InfiniteAndOverflowingValuesAreErrors) {
  auto sample = Sample(300, 3, 0, 1);
  sample[1][280] = -std::numeric_limits<double>::infinity();
  EXPECT_THROW(Gather(sample), Error);
  sample[1][280] = 1e200;
  EXPECT_THROW(Gather(sample).Finish(), Error);
  EXPECT_THROW(GramAccumulator(0), Error);
}

TEST(Gram, NoRowsIsAnEmptyState) {
  const GramMoments moments = GramAccumulator(2).Finish();
  EXPECT_EQ(moments.rows, 0);
  EXPECT_EQ(moments.centred, std::vector<double>(9, 0.0));
}

}  // namespace
}  // namespace braid::ml
