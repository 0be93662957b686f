// SPDX-License-Identifier: Apache-2.0
#include "ml/partitioned/partition_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "ml/parallel.h"

namespace braid::ml {

namespace {

// Thrown through a training from sums that asks for rows.
struct NeedsRows {};

struct NoRows final : RowSource {
  void Scan(const std::function<void(const Batch&)>& /*visit*/) override { throw NeedsRows(); }
};

// Counts what is scanned, and sums the labels' squares about their mean (Welford).
class ObservedRows final : public RowSource {
 public:
  ObservedRows(RowSource& rows, const TrainingRequest& request) : rows_(rows), request_(request) {}
  void Scan(const std::function<void(const Batch&)>& visit) override {
    given_ = labelled_ = 0;
    weight_ = mean_ = squares_ = 0;
    rows_.Scan([&](const Batch& batch) {
      Observe(batch);
      visit(batch);
    });
  }
  int64_t given() const { return given_; }
  int64_t labelled() const { return labelled_; }
  // Of the mean over the weights; none for labels that are no numbers.
  std::optional<double> variance() const {
    if (!(weight_ > 0)) return std::nullopt;
    return squares_ / weight_;
  }

 private:
  void Observe(const Batch& batch) {
    given_ += static_cast<int64_t>(batch.rows);
    if (request_.label.empty()) return;
    const ColumnView& label = batch.columns[request_.inputs.size()];
    for (size_t row = 0; row < batch.rows; ++row) {
      if (!label.IsValid(row)) continue;
      if (label.kind == ColumnKind::kDouble && std::isnan(label.doubles()[row])) continue;
      ++labelled_;
      if (label.kind != ColumnKind::kDouble) continue;
      const double weight = request_.has_weight ? batch.columns.back().doubles()[row] : 1;
      if (!(weight > 0)) continue;
      weight_ += weight;
      const double step = label.doubles()[row] - mean_;
      mean_ += weight / weight_ * step;
      squares_ += weight * step * (label.doubles()[row] - mean_);
    }
  }

  RowSource& rows_;
  const TrainingRequest& request_;
  int64_t given_ = 0;
  int64_t labelled_ = 0;
  double weight_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

std::optional<double> LastLoss(const Model& model) {
  for (const TableFunction& function : model.table_functions()) {
    if (function.name != "TRAINING_INFO") continue;
    const Table info = model.TableOf("TRAINING_INFO", {});
    for (size_t c = 0; c < info.columns.size() && !info.rows.empty(); ++c)
      if (info.columns[c].name == "loss" && info.rows.back()[c].is_number())
        return info.rows.back()[c].get<double>();
  }
  return std::nullopt;
}

std::string Joined(const std::vector<std::string>& notices) {
  std::string text;
  for (const std::string& notice : notices) text += (text.empty() ? "" : "; ") + notice;
  return text;
}

std::string TextOf(const Error& error) {
  return error.hint().empty() ? error.message() : error.message() + ": " + error.hint();
}

}  // namespace

void CheckPartitionedKind(const ModelKind& kind) {
  if (kind.train != nullptr && (IsSupervised(kind.task) || kind.task == Task::kProjection)) return;
  throw Error(ErrorCode::kNotSupported, fmt::format("PARTITION BY is not for {}", kind.name),
              "it is for regressions, classifiers, pca and factor_analysis");
}

PartitionTrainer::PartitionTrainer(TrainingRequest request, std::vector<KeyColumn> key_columns,
                                   PartitionOptions options, TrainingControl control)
    : request_(std::move(request)),
      kind_(FindModelKind(request_.kind)),
      key_columns_(std::move(key_columns)),
      options_(options),
      control_(std::move(control)) {
  control_.progress = nullptr;  // of one partition among many
}

// Runs a training and keeps what came of it, be it its failure.
template <typename Train>
PartitionTrainer::Trained PartitionTrainer::Record(PartitionKey key, int64_t rows,
                                                   std::optional<double> label_squares,
                                                   Train train) const {
  Trained result{
      .key = std::move(key), .outcome = {.rows = rows}, .artefact = {}, .score_names = {}};
  try {
    if (options_.min_rows > 1 && rows < options_.min_rows)
      throw Error(ErrorCode::kTrainingData,
                  fmt::format("Fewer rows than PARTITION_MIN_ROWS: {}", rows));
    const TrainedModel trained = train();
    result.outcome.rows = trained.model->rows();
    result.outcome.notice = Joined(trained.notices);
    result.outcome.loss = LastLoss(*trained.model);
    if (kind_.task == Task::kRegression && result.outcome.loss && label_squares &&
        *label_squares > 0)
      result.outcome.r2_score = 1 - *result.outcome.loss / *label_squares;
    result.artefact = trained.model->ToArtefact();
    result.score_names = trained.model->score_names();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kTrainingData) throw;
    result.outcome.error = TextOf(error);
  } catch (const NeedsRows&) {
    result.waits = true;
  }
  return result;
}

PartitionTrainer::Trained PartitionTrainer::TrainOne(const PartitionKey& key,
                                                     const GroupMoments& moments) const {
  if (!moments.failure().empty()) {
    Trained failed{.key = key, .outcome = {}, .artefact = {}, .score_names = {}};
    failed.outcome = {.rows = moments.given(), .error = moments.failure()};
    return failed;
  }
  std::optional<double> variance;
  const auto measure = [&] {
    const GramMoments sums = moments.gram().Finish();
    if (sums.rows > 0) variance = sums.centred.back() / static_cast<double>(sums.rows);
    NoRows none;
    return kind_.train_from_moments(request_, moments.gram(), none, control_);
  };
  Trained result = Record(key, moments.gram().rows(), std::nullopt, measure);
  if (kind_.task == Task::kRegression && result.outcome.loss && variance && *variance > 0)
    result.outcome.r2_score = 1 - *result.outcome.loss / *variance;
  return result;
}

void PartitionTrainer::TrainFromMoments(std::vector<std::pair<PartitionKey, GroupMoments>> groups) {
  constexpr size_t kPart = 256;
  const size_t parts = (groups.size() + kPart - 1) / kPart;
  const size_t first = trained_.size();
  trained_.resize(first + groups.size());
  ForEachPart(parts, request_.threads, [&](size_t part) {
    ThrowIfStopped(control_);
    for (size_t i = part * kPart; i < std::min(groups.size(), (part + 1) * kPart); ++i)
      trained_[first + i] = TrainOne(groups[i].first, groups[i].second);
  });
  for (size_t i = 0; i < groups.size(); ++i) {
    GroupMoments& moments = groups[i].second;
    if (options_.pooled && moments.failure().empty()) {
      if (!pooled_moments_)
        pooled_moments_ = moments.gram();
      else
        pooled_moments_->Merge(moments.gram());
    }
    if (trained_[first + i].waits) waiting_.push_back(std::move(groups[i]));
  }
  std::erase_if(trained_, [](const Trained& trained) { return trained.waits; });
}

void PartitionTrainer::TrainFromRows(PartitionKey key, RowSource& rows,
                                     const GroupMoments* moments) {
  ThrowIfStopped(control_);
  ObservedRows observed(rows, request_);
  observed.Scan([](const Batch&) {});
  const int64_t count = request_.label.empty() ? observed.given() : observed.labelled();
  trained_.push_back(Record(std::move(key), count, observed.variance(), [&] {
    return moments == nullptr ? kind_.train(request_, rows, control_)
                              : kind_.train_from_moments(request_, moments->gram(), rows, control_);
  }));
}

void PartitionTrainer::SetPooled(const TrainedModel& trained) {
  pooled_artefact_ = trained.model->ToArtefact();
}

// All models answer with the same scores: those of the first decide.
void PartitionTrainer::AlignScores() {
  const Trained* first = nullptr;
  for (Trained& trained : trained_) {
    if (trained.artefact.empty()) continue;
    if (first == nullptr) first = &trained;
    if (trained.score_names == first->score_names) continue;
    trained.artefact.clear();
    trained.outcome = {.rows = trained.outcome.rows,
                       .error = fmt::format("It has {} scores, and the first partition {}",
                                            trained.score_names.size(), first->score_names.size())};
  }
}

// What most partitions have in common to tell, and how many were not trained.
std::vector<std::string> PartitionTrainer::Notices() const {
  std::map<std::string, size_t> counts;
  std::vector<std::string> notices;
  size_t failed = 0;
  std::string first;
  for (const Trained& trained : trained_) {
    const std::string& error = trained.outcome.error;
    if (!error.empty() && failed++ == 0) first = error;
    if (!trained.outcome.notice.empty()) ++counts[trained.outcome.notice];
  }
  if (failed > 0)
    notices.push_back(
        fmt::format("{} of {} partitions were not trained ({}): ML.PARTITION_INFO "
                    "tells which and why",
                    failed, trained_.size(), first));
  if (counts.empty()) return notices;
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most->second * 2 > trained_.size())
    notices.push_back(
        fmt::format("{} of {} partitions: {}", most->second, trained_.size(), most->first));
  return notices;
}

TrainedModel PartitionTrainer::Finish() {
  if (trained_.empty())
    throw Error(ErrorCode::kTrainingData, "There are no rows to train on",
                "the training query gives none");
  std::sort(trained_.begin(), trained_.end(), [&](const Trained& a, const Trained& b) {
    return KeyIsLess(key_columns_, a.key, b.key);
  });
  AlignScores();
  TrainedModel result{.model = nullptr, .notices = Notices()};
  PartitionedParts parts{
      .kind = &kind_, .key_columns = key_columns_, .inputs = request_.inputs, .classes = {}};
  std::set<std::string> seen;
  const auto pack = [&](const std::string& artefact) {
    if (kind_.task == Task::kClassification) {
      const std::unique_ptr<Model> model = kind_.load(artefact);
      seen.insert(model->classes().begin(), model->classes().end());
    }
    parts.pack.Add(artefact);
    return static_cast<uint32_t>(parts.pack.size() - 1);
  };
  for (Trained& trained : trained_) {
    parts.keys.push_back(std::move(trained.key));
    parts.entry_of.push_back(trained.artefact.empty() ? PartitionKeys::kNone
                                                      : pack(trained.artefact));
    parts.outcomes.push_back(std::move(trained.outcome));
    trained.artefact = {};
  }
  if (!pooled_artefact_.empty()) parts.pooled = pack(pooled_artefact_);
  if (parts.pack.size() == 0)
    throw Error(ErrorCode::kTrainingData,
                "No partition could be trained: " + parts.outcomes.front().error);
  if (kind_.task == Task::kClassification)
    for (const std::string& name : request_.classes_in_order)
      if (seen.contains(name)) parts.classes.push_back(name);
  result.model = std::make_unique<PartitionedModel>(std::move(parts));
  return result;
}

}  // namespace braid::ml
