// SPDX-License-Identifier: Apache-2.0
// Principal components: eigenvectors of the features' covariances. In full, or by randomised
// subspace iteration (Halko, Martinsson and Tropp 2011): products with the covariances, one scan of
// the rows each, without these themselves.
#include "ml/projection/pca_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "base/error.h"
#include "ml/feature_rows.h"
#include "ml/kernels.h"
#include "ml/linear_solver.h"
#include "ml/parallel.h"
#include "ml/random_stream.h"

namespace braid::ml {

namespace {

// From here on AUTO iterates if few components are wanted: the full way takes cubic time.
constexpr size_t kManyFeatures = 1000;
constexpr size_t kOversampling = 10;
constexpr int kPowerIterations = 7;
constexpr size_t kMostParts = 16;

struct Spectrum {
  std::vector<double> values;
  std::vector<double> vectors;  // one after the other
};

class Covariances {
 public:
  Covariances(const FeatureRows& rows, size_t threads) : rows_(rows), threads_(threads) {
    const size_t features = size();
    means_.assign(features, 0);
    const std::vector<double> sums =
        Sum(features, [&](const double* block, size_t count, double* out) {
          for (size_t f = 0; f < features; ++f)
            out[f] += std::accumulate(block + f * kSliceRows, block + f * kSliceRows + count, 0.0);
        });
    for (size_t f = 0; f < features; ++f) means_[f] = sums[f] / static_cast<double>(rows_.rows());
  }

  size_t size() const { return rows_.space().size(); }
  const std::vector<double>& means() const { return means_; }

  std::vector<double> Full() const {
    const size_t features = size();
    std::vector<double> sums =
        Sum(features * features, [&](const double* block, size_t count, double* out) {
          std::vector<const double*> columns;
          for (size_t f = 0; f < features; ++f) columns.push_back(block + f * kSliceRows);
          std::vector<double> products;
          Products(columns, columns, Padded(count), /*lower=*/true, products);
          for (size_t i = 0; i < features; ++i)
            for (size_t j = 0; j <= i; ++j) out[i * features + j] += products[i * features + j];
        });
    for (size_t i = 0; i < features; ++i)
      for (size_t j = 0; j <= i; ++j)
        sums[j * features + i] = sums[i * features + j] /= denominator();
    return sums;
  }

  double Trace() const {
    const std::vector<double> sum = Sum(1, [&](const double* block, size_t, double* out) {
      *out += Dot(block, block, size() * kSliceRows);
    });
    return sum[0] / denominator();
  }

  // Of `count` vectors, one after the other.
  std::vector<double> Times(const std::vector<double>& vectors, size_t count) const {
    const size_t features = size();
    std::vector<double> sums =
        Sum(features * count, [&](const double* block, size_t rows, double* out) {
          std::vector<double> along(kSliceRows);
          for (size_t k = 0; k < count; ++k) {
            std::fill(along.begin(), along.end(), 0.0);
            for (size_t f = 0; f < features; ++f)
              AddScaled(block + f * kSliceRows, vectors[k * features + f], 0, rows, along.data());
            for (size_t f = 0; f < features; ++f)
              out[k * features + f] += Dot(block + f * kSliceRows, along.data(), rows);
          }
        });
    for (double& sum : sums) sum /= denominator();
    return sums;
  }

 private:
  double denominator() const { return static_cast<double>(rows_.rows() - 1); }
  static size_t Padded(size_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

  // Adds what `add` adds for each block of deviations, in an order that the rows alone determine.
  template <typename Add>
  std::vector<double> Sum(size_t width, Add add) const {
    const size_t parts = std::min(kMostParts, rows_.blocks());
    std::vector<std::vector<double>> sums(parts, std::vector<double>(width));
    ForEachPart(parts, threads_, [&](size_t part) {
      std::vector<double> buffer;
      std::vector<double> centred(size() * kSliceRows);
      const size_t end = (part + 1) * rows_.blocks() / parts;
      for (size_t b = part * rows_.blocks() / parts; b < end; ++b) {
        const double* block = rows_.Block(b, buffer);
        const size_t count = rows_.RowsIn(b);
        std::fill(centred.begin(), centred.end(), 0.0);
        for (size_t f = 0; f < size(); ++f)
          for (size_t r = 0; r < count; ++r)
            centred[f * kSliceRows + r] = block[f * kSliceRows + r] - means_[f];
        add(centred.data(), count, sums[part].data());
      }
    });
    for (size_t part = 1; part < parts; ++part)
      for (size_t i = 0; i < width; ++i) sums[0][i] += sums[part][i];
    return std::move(sums[0]);
  }

  const FeatureRows& rows_;
  size_t threads_;
  std::vector<double> means_;
};

// Gram and Schmidt, twice, which is enough. Vectors that depend on those before become zero.
void Orthonormalise(std::vector<double>& vectors, size_t count) {
  const size_t size = vectors.size() / count;
  for (size_t k = 0; k < count; ++k) {
    double* vector = &vectors[k * size];
    const double before = std::sqrt(Dot(vector, vector, size));
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t j = 0; j < k; ++j) {
        const double along = Dot(&vectors[j * size], vector, size);
        for (size_t i = 0; i < size; ++i) vector[i] -= along * vectors[j * size + i];
      }
    }
    const double length = std::sqrt(Dot(vector, vector, size));
    const double factor = length > 1e-13 * before ? 1 / length : 0;
    for (size_t i = 0; i < size; ++i) vector[i] *= factor;
  }
}

Spectrum DecomposeRandomly(const Covariances& covariances, size_t wanted, int64_t seed,
                           const TrainingControl& control) {
  const size_t features = covariances.size();
  const size_t count = std::min(features, wanted + kOversampling);
  RandomStream random(seed);
  std::vector<double> basis(count * features);
  for (double& value : basis) value = random.Gaussian();
  Orthonormalise(basis, count);
  for (int i = 0; i < kPowerIterations; ++i) {
    ThrowIfStopped(control);
    basis = covariances.Times(basis, count);
    Orthonormalise(basis, count);
  }
  const std::vector<double> image = covariances.Times(basis, count);
  std::vector<double> small(count * count);
  for (size_t i = 0; i < count; ++i)
    for (size_t j = 0; j <= i; ++j)
      small[i * count + j] = small[j * count + i] =
          Dot(&basis[i * features], &image[j * features], features);
  const EigenPairs pairs = DecomposeSymmetric(small, count);
  Spectrum spectrum{{pairs.values.begin(), pairs.values.begin() + static_cast<ptrdiff_t>(wanted)},
                    std::vector<double>(wanted * features)};
  for (size_t k = 0; k < wanted; ++k) {
    double* vector = &spectrum.vectors[k * features];
    for (size_t j = 0; j < count; ++j)
      for (size_t f = 0; f < features; ++f)
        vector[f] += pairs.vectors[k * count + j] * basis[j * features + f];
    const double* greatest = std::max_element(
        vector, vector + features, [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (*greatest < 0)
      for (size_t f = 0; f < features; ++f) vector[f] = -vector[f];
  }
  return spectrum;
}

void CheckRows(int64_t rows) {
  if (rows == 0)
    throw Error(ErrorCode::kTrainingData, "There are no rows to train on",
                "the training query gives none");
  if (rows == 1)
    throw Error(ErrorCode::kTrainingData, "One row does not vary", "pca needs two rows or more");
}

size_t MostComponents(size_t rows, size_t features, const PcaOptions& options) {
  const size_t most = std::min(rows, features);
  if (options.num_principal_components > static_cast<int64_t>(most))
    throw Error(ErrorCode::kTrainingData,
                fmt::format("{} components are more than {} rows of {} features have",
                            options.num_principal_components, rows, features),
                fmt::format("set NUM_PRINCIPAL_COMPONENTS to at most {}", most));
  return options.num_principal_components > 0
             ? static_cast<size_t>(options.num_principal_components)
             : most;
}

// Keeps as many components as the options say.
PcaParts Choose(const PcaOptions& options, size_t rows, std::vector<double> means,
                Spectrum spectrum, double total) {
  if (!(total > 0))
    throw Error(ErrorCode::kTrainingData, "No input varies over the rows",
                "give columns that differ from row to row");
  for (double& value : spectrum.values) value = std::max(0.0, value);
  size_t kept = MostComponents(rows, means.size(), options);
  if (options.explained_variance_ratio) {
    double sum = 0;
    for (size_t k = 0; k < kept; ++k) {
      sum += spectrum.values[k];
      if (sum >= (*options.explained_variance_ratio - 1e-12) * total) kept = k + 1;
    }
  }
  spectrum.vectors.resize(kept * means.size());
  spectrum.values.resize(kept);
  return {.rows = static_cast<int64_t>(rows),
          .means = std::move(means),
          .components = std::move(spectrum.vectors),
          .eigenvalues = std::move(spectrum.values),
          .total_variance = total,
          .thresholds = {}};
}

Spectrum DecomposeFully(const std::vector<double>& covariances, size_t features) {
  EigenPairs pairs = DecomposeSymmetric(covariances, features);
  return {std::move(pairs.values), std::move(pairs.vectors)};
}

// Some rows of a batch as a batch of its own.
class PickedRows {
 public:
  PickedRows(const Batch& from, size_t inputs, const std::vector<size_t>& rows)
      : numbers_(inputs), texts_(inputs), validity_(inputs) {
    batch_.rows = rows.size();
    for (size_t c = 0; c < inputs; ++c) {
      const ColumnView& view = from.columns[c];
      validity_[c].assign(rows.size() / 64 + 1, 0);
      for (size_t i = 0; i < rows.size(); ++i) {
        if (view.kind == ColumnKind::kDouble)
          numbers_[c].push_back(view.doubles()[rows[i]]);
        else
          texts_[c].push_back(view.IsValid(rows[i]) ? view.strings()[rows[i]] : "");
        if (view.IsValid(rows[i])) validity_[c][i / 64] |= uint64_t{1} << (i % 64);
      }
      const void* data = view.kind == ColumnKind::kDouble
                             ? static_cast<const void*>(numbers_[c].data())
                             : static_cast<const void*>(texts_[c].data());
      batch_.columns.push_back({view.kind, data, validity_[c].data()});
    }
  }
  const Batch& batch() const { return batch_; }

 private:
  std::vector<std::vector<double>> numbers_;
  std::vector<std::vector<std::string_view>> texts_;
  std::vector<std::vector<uint64_t>> validity_;
  Batch batch_;
};

// The errors of the training rows, of some if there are many.
void FindThresholds(RowSource& rows, const TrainingControl& control, PcaModel& model) {
  if (model.score_count() == model.parts().means.size()) return;
  const size_t group = ScoredGroup(static_cast<size_t>(model.rows()));
  const size_t inputs = model.input_columns().size();
  std::vector<double> scores;
  size_t first = 0;
  rows.Scan([&](const Batch& batch) {
    ThrowIfStopped(control);
    std::vector<size_t> picked;
    for (size_t row = 0; row < batch.rows; ++row)
      if (IsScored(first + row, group)) picked.push_back(row);
    first += batch.rows;
    if (picked.empty()) return;
    const PickedRows some(batch, inputs, picked);
    std::vector<double> errors(picked.size());
    std::vector<int64_t> unused(picked.size());
    model.AnomalyScores(some.batch(), errors, unused);
    scores.insert(scores.end(), errors.begin(), errors.end());
  });
  model.SetThresholds(AnomalyThresholds::OfScores(std::move(scores)));
}

}  // namespace

bool MomentsSuffice(const TrainingRequest& request, const PcaOptions& options) {
  return options.solver != PcaSolver::kRandomized && !request.inputs.empty() &&
         (options.solver == PcaSolver::kFull || request.inputs.size() <= kManyFeatures) &&
         std::all_of(request.inputs.begin(), request.inputs.end(),
                     [](const InputColumn& input) { return input.kind == InputKind::kNumeric; });
}

std::unique_ptr<PcaModel> TrainPca(const TrainingRequest& request, const PcaOptions& options,
                                   RowSource& rows, const TrainingControl& control) {
  const FeatureRows features(
      request, rows,
      {.centre = true, .standardise = options.scale_features, .degrees_of_freedom_lost = 1},
      control);
  CheckRows(static_cast<int64_t>(features.rows()));
  const Covariances covariances(features, request.threads);
  const size_t wanted = MostComponents(features.rows(), covariances.size(), options);
  const bool few = options.num_principal_components > 0 && covariances.size() > kManyFeatures &&
                   wanted * 5 <= covariances.size() * 4;
  Spectrum spectrum;
  double total = 0;
  if (options.solver == PcaSolver::kRandomized || (options.solver == PcaSolver::kAuto && few)) {
    spectrum = DecomposeRandomly(covariances, wanted, request.seed, control);
    total = covariances.Trace();
  } else {
    const std::vector<double> full = covariances.Full();
    ThrowIfStopped(control);
    spectrum = DecomposeFully(full, covariances.size());
    for (size_t f = 0; f < covariances.size(); ++f) total += full[f * covariances.size() + f];
  }
  auto model = std::make_unique<PcaModel>(
      features.space(),
      Choose(options, features.rows(), covariances.means(), std::move(spectrum), total));
  FindThresholds(rows, control, *model);
  return model;
}

std::unique_ptr<PcaModel> TrainPcaFromMoments(const TrainingRequest& request,
                                              const PcaOptions& options,
                                              const GramAccumulator& moments, RowSource& rows,
                                              const TrainingControl& control) {
  const size_t features = request.inputs.size();
  CheckRows(moments.rows());
  const GramMoments gathered = moments.Finish();
  std::vector<FeatureInput> inputs;
  for (size_t f = 0; f < features; ++f) {
    const double squares = gathered.centred[f * (features + 1) + f];
    FeatureInput input{
        .name = request.inputs[f].name, .mean = gathered.mean[f], .offset = gathered.mean[f]};
    if (options.scale_features && squares > 0)
      input.scale = std::sqrt(squares / static_cast<double>(gathered.rows - 1));
    inputs.push_back(std::move(input));
  }
  std::vector<double> covariances(features * features);
  double total = 0;
  for (size_t i = 0; i < features; ++i) {
    for (size_t j = 0; j < features; ++j)
      covariances[i * features + j] = gathered.centred[i * (features + 1) + j] / inputs[i].scale /
                                      inputs[j].scale / static_cast<double>(gathered.rows - 1);
    total += covariances[i * features + i];
  }
  auto model = std::make_unique<PcaModel>(
      FeatureSpace(std::move(inputs)),
      Choose(options, static_cast<size_t>(gathered.rows), std::vector<double>(features),
             DecomposeFully(covariances, features), total));
  FindThresholds(rows, control, *model);
  return model;
}

}  // namespace braid::ml
