// SPDX-License-Identifier: Apache-2.0
#include "train/training_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/place.h"
#include "catalog/retention.h"
#include "ml/model_kind.h"
#include "ml/options.h"
#include "ml/partitioned/partition_trainer.h"
#include "ml/remote/remote_model.h"
#include "ml/tuning_options.h"
#include "session/option_json.h"
#include "session/rewrite.h"
#include "train/declare_remote.h"
#include "train/fitting.h"
#include "train/import_model.h"
#include "train/judging.h"
#include "train/model_projection.h"
#include "train/partitioned_fitting.h"
#include "train/promotion.h"
#include "train/training_rows.h"
#include "train/training_rules.h"
#include "train/training_statistics.h"
#include "train/tuning.h"

namespace braid::train {

namespace {

using session::Change;

void CheckPartition(const ml::ModelOptions& options, const syntax::CreateModel& statement,
                    bool is_tuned) {
  if (!statement.partition_by.empty()) {
    ml::CheckPartitionedKind(*options.kind);
    if (is_tuned)
      throw Error(ErrorCode::kNotSupported, "NUM_TRIALS does not go with PARTITION BY",
                  "tune a model of some partitions' rows, and give all of them its best options");
    if (options.warm_start)
      throw Error(ErrorCode::kNotSupported, "WARM_START does not go with PARTITION BY",
                  "leave it out: models of partitions are trained to the end");
    if (options.enable_global_explain)
      throw Error(ErrorCode::kNotSupported, "ENABLE_GLOBAL_EXPLAIN does not go with PARTITION BY",
                  "write ML.GLOBAL_EXPLAIN(MODEL m, TABLE t)");
  } else if (!options.partition_options.empty()) {
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("The option {} needs PARTITION BY", ToUpper(options.partition_options.front())),
        "write CREATE MODEL m PARTITION BY (column) OPTIONS (…) AS query");
  }
  if (options.warm_start && is_tuned)
    throw Error(ErrorCode::kNotSupported, "WARM_START does not go with NUM_TRIALS",
                "tune the model, then train it on with the best options");
}

class Training {
 public:
  Training(const catalog::Object& object, Change& change, session::ModelStore& models,
           const TrainingDefaults& defaults)
      : object_(object),
        statement_(std::get<syntax::CreateModel>(*object.statement)),
        change_(change),
        models_(models),
        defaults_(defaults),
        rules_(object, change, models) {}

  session::ChangeOutcome Run() {
    ReadOptions();
    if (!statement_.connection.empty()) return DeclareRemote();
    if (kind().import != nullptr) return Import();
    if (statement_.query.text.empty())
      throw catalog::PlaceInFile(
          Error(ErrorCode::kTrainingData, fmt::format("{} is trained on a query", kind().name),
                "write CREATE MODEL … AS SELECT …"),
          object_, statement_.name.offset);
    const std::string query = Rewritten(statement_.query);
    try {
      Describe(query);
      rules_.Check(kind().task, RanksItems());
      if (!rules_.IsDue("(" + query + "\n)", "(" + MonitorQuery(query) + "\n)"))
        return {
            .action = "kept", .reason = "RETRAIN WHEN is not true: " + rules_.reason(), .rows = {}};
      if (!statement_.transform) ProjectColumns(projecting_, projection_);
      // A fit from sums reads its rows once, and once more to judge it.
      const TrainingRows rows(change_.connection, query, options(),
                              !statement_.transform && !tuning_ && MakeFitting().moments_suffice()
                                  ? RowAccess::kInPlace
                                  : RowAccess::kKept);
      if (Waits(rows))
        return {.action = "waiting", .reason = "there are no rows with a label yet", .rows = {}};
      keys_ = PartitionKeys(projecting_);
      rules_.Count(rows.AllQuery(), projection_.label);
      if (promotion_query_) RefuseOverlap(change_.connection, rows, *promotion_query_);
      if (statement_.transform) Transform(rows);
      if (tuning_) return PublishBest(Tune(rows));
      session::StoredModel stored{projection_, nullptr};
      Fit(rows, stored);
      stored.projection.inputs.insert(stored.projection.inputs.begin(), keys_.begin(), keys_.end());
      return Publish(stored, &rows);
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, *part_);
    }
  }

 private:
  session::ChangeOutcome Import() {
    try {
      if (!statement_.query.text.empty() || statement_.transform)
        throw Error(ErrorCode::kModelImport, fmt::format("{} is imported", kind().name),
                    "leave TRANSFORM and the query out, or train a model of another type");
      return Publish(ImportModel(change_.connection, statement_, options(), defaults_.root),
                     nullptr);
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, OptionOffset(error));
    }
  }

  session::ChangeOutcome DeclareRemote() {
    try {
      return Publish(RemoteModelOf(statement_, change_, models_), nullptr);
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_,
                                 error.code() == ErrorCode::kNotFound ? statement_.connection_offset
                                                                      : OptionOffset(error));
    }
  }

  void ReadOptions() {
    try {
      if (!statement_.connection.empty()) {
        projecting_.options = ParseRemoteOptions(statement_.options);
        return;
      }
      tuning_ = ml::ParseTuningOptions(statement_.options);
      projecting_.options =
          ml::ParseModelOptions(tuning_ ? tuning_->FeasibleSettings() : statement_.options);
      if (&kind() == &ml::RemoteKind())
        throw Error(ErrorCode::kInvalidOption, "MODEL_TYPE is not for remote models",
                    "write CREATE MODEL m REMOTE WITH CONNECTION c OPTIONS (endpoint = '…')");
      if (kind().task == ml::Task::kProjection && kind().import == nullptr &&
          options().promotion_query)
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("PROMOTION_QUERY is no option of {}", kind().name),
                    "no rows can tell which of two projections is better; the newest becomes "
                    "champion");
      for (const syntax::ColumnDefinition& column : statement_.partition_by)
        projecting_.partition.push_back(column.name);
      CheckPartition(options(), statement_, tuning_.has_value());
      if (kind().named_columns != nullptr)
        projecting_.named = kind().named_columns(statement_.options);
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, OptionOffset(error));
    }
    if (statement_.promote_when && !options().promotion_query)
      throw catalog::PlaceInFile(
          Error(ErrorCode::kInvalidOption, "PROMOTE WHEN needs PROMOTION_QUERY",
                "write OPTIONS (promotion_query = 'SELECT …'): rows that no version is trained on"),
          object_, statement_.promote_when->offset);
    if (options().promotion_query)
      promotion_query_ = Rewritten({*options().promotion_query, OffsetOf("promotion_query")});
  }

  // Errors of options name the option; it is shown where it stands.
  size_t OptionOffset(const Error& error) const {
    for (const Option& option : statement_.options)
      if (ToLower(error.message()).find(option.name) != std::string::npos) return option.offset;
    return statement_.name.offset;
  }
  size_t OffsetOf(std::string_view name) const {
    for (const Option& option : statement_.options)
      if (option.name == name) return option.offset;
    return 0;
  }

  // A project's model whose rows are still to come is no failure: other nodes may bring them. Who
  // writes CREATE MODEL by hand is told at once.
  bool Waits(const TrainingRows& rows) const {
    if (object_.owner != "project" || change_.state.Champion(object_.key) != nullptr) return false;
    return CountRows(change_.connection, rows.AllQuery(), projection_.label).labels == 0;
  }

  // The rows by which RETRAIN WHEN judges the model.
  std::string MonitorQuery(const std::string& training_query) {
    if (!options().monitor_query) return training_query;
    return Rewritten({*options().monitor_query, OffsetOf("monitor_query")});
  }

  std::string Rewritten(const syntax::SourceText& part) {
    try {
      session::RewriteContext context{change_.state, models_, {}, {}, &change_.connection};
      return session::RewriteQuery(part.text, context).text();
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, part);
    }
  }

  void Describe(const std::string& query) {
    const engine::StatementInfo info = change_.connection.DescribeStatement(query);
    for (size_t i = 0; i < info.column_names.size(); ++i)
      projecting_.columns.push_back({info.column_names[i], info.column_types[i]});
    projection_ = ProjectLabel(projecting_);
  }

  // Inputs over the rows as they are given, with the statistics of those that are trained on.
  void Transform(const TrainingRows& rows) {
    part_ = &*statement_.transform;
    ProjectTransform(change_.connection, projecting_, *statement_.transform, rows.TrainingQuery(),
                     projection_);
    part_ = &statement_.query;
  }

  const ml::ModelOptions& options() const { return projecting_.options; }
  const ml::ModelKind& kind() const { return *options().kind; }
  bool RanksItems() const {
    return kind().ranks_items != nullptr &&
           kind().ranks_items(tuning_ ? tuning_->settings : statement_.options);
  }

  Fitting MakeFitting() const {
    return {change_.connection, options(), statement_.options, projection_, Threads()};
  }

  void Fit(const TrainingRows& rows, session::StoredModel& stored) {
    ml::TrainingControl control;
    control.stop = change_.stop;
    control.progress = [this](double fraction, double loss) {
      if (change_.progress) change_.progress(fraction, fmt::format("loss {:.4f}", loss));
    };
    Fitting fitting = MakeFitting();
    if (options().warm_start) fitting.StartFrom(EarlierModel());
    ml::TrainedModel trained =
        keys_.empty() ? fitting.Fit(rows, control)
                      : PartitionedFitting(change_.connection, fitting, keys_).Fit(rows, control);
    for (const std::string& notice : trained.notices)
      if (change_.notice) change_.notice(fmt::format("model {}: {}", object_.key, notice));
    stored.core = std::move(trained.model);
    stored.global_explanation = std::move(trained.global_explanation);
    stored.features = GatherFeatureStatistics(change_.connection, projecting_, projection_, rows,
                                              fitting.TakeNumbers());
  }

  // What WARM_START begins at: the champion, if there is one.
  std::shared_ptr<const session::StoredModel> EarlierModel() {
    const catalog::ModelVersion* champion = change_.state.Champion(object_.key);
    if (champion == nullptr) return nullptr;
    std::shared_ptr<const session::StoredModel> earlier = models_.Get(champion->artefact_sha256);
    if (earlier->core->kind() != kind().name)
      throw Error(ErrorCode::kTrainingData,
                  fmt::format("WARM_START: the champion of {} is a {}, not a {}", object_.key,
                              earlier->core->kind(), kind().name),
                  "train the first version of the new type without WARM_START");
    started_from_ = champion->version;
    return earlier;
  }

  // The best of the trials becomes the version.
  std::vector<catalog::ModelTrial> Tune(const TrainingRows& rows) {
    // What changes how many trials there are does not change a trial.
    std::vector<Option> settings;
    for (const Option& option : tuning_->settings)
      if (!ml::SaysWhichTrials(option.name)) settings.push_back(option);
    const std::string transform = statement_.transform ? statement_.transform->text : "";
    return RunTrials({.model = object_.key,
                      .change = change_,
                      .models = models_,
                      .tuning = *tuning_,
                      .options = options(),
                      .projection = projection_,
                      .features = GatherFeatureStatistics(change_.connection, projecting_,
                                                          projection_, rows, {}),
                      .threads = Threads(),
                      .journal_folder = defaults_.tuning_folder,
                      .pins = fmt::format("{}\n{}\n{}\n{}", statement_.query.text, transform,
                                          session::OptionsToJson(settings), Threads())},
                     rows);
  }

  int64_t Threads() const { return options().threads > 0 ? options().threads : defaults_.threads; }

  // `rows` is nullptr for a model that is imported.
  session::ChangeOutcome Publish(const session::StoredModel& stored, const TrainingRows* rows) {
    catalog::ModelVersion version = MakeVersion();
    version.rows = stored.core->rows();
    version.artefact_sha256 = models_.Put(stored);
    if (rows != nullptr)
      version.metrics = Judge(change_.connection, version, stored, rows->EvaluationQuery());
    return Add(std::move(version));
  }

  session::ChangeOutcome PublishBest(std::vector<catalog::ModelTrial> trials) {
    catalog::ModelVersion version = MakeVersion();
    for (const catalog::ModelTrial& trial : trials) {
      if (!trial.is_optimal || !version.artefact_sha256.empty()) continue;
      version.artefact_sha256 = trial.artefact_sha256;
      version.metrics = trial.test_metrics;
    }
    version.rows = models_.Get(version.artefact_sha256)->core->rows();
    version.trials = std::move(trials);
    return Add(std::move(version));
  }

  catalog::ModelVersion MakeVersion() const {
    catalog::ModelVersion version;
    version.model = object_.key;
    const auto versions = change_.state.versions.find(object_.key);
    const bool first = versions == change_.state.versions.end() || versions->second.empty();
    version.version = first ? 1 : versions->second.back().version + 1;
    version.type = kind().name;
    version.created_at = change_.now;
    version.run_id = change_.run_id;
    // The commit of this very change holds the rows that were trained on.
    version.snapshot_id = change_.base_snapshot + 1;
    version.query = statement_.query.text;
    std::vector<Option> given = statement_.options;
    if (!projecting_.partition.empty()) {
      OptionValue::List columns;
      for (const std::string& column : projecting_.partition) columns.push_back({column});
      given.push_back({"partition_by", {std::move(columns)}});
    }
    if (!statement_.connection.empty()) given.push_back({"connection", {statement_.connection}});
    if (started_from_) given.push_back({"warm_start_version", {*started_from_}});
    version.options = session::OptionsToJson(given);
    version.seed = options().seed;
    version.threads = Threads();
    return version;
  }

  session::ChangeOutcome Add(catalog::ModelVersion version) {
    catalog::AddModelVersion(change_.connection, version);
    change_.state.versions[object_.key].push_back(version);
    rules_.NoteTraining(version.version);
    std::string reason = Promote(version);
    Expire();
    if (!rules_.reason().empty())
      reason = fmt::format("RETRAIN WHEN is true: {}; {}", rules_.reason(), reason);
    const char* made = kind().import == nullptr ? "trained" : "imported";
    return {.action = statement_.connection.empty() ? made : "connected",
            .reason = std::move(reason),
            .rows = version.rows};
  }

  void Expire() {
    const std::vector<int64_t> gone =
        catalog::ExpireVersions(change_.connection, change_.state, object_.key, change_.now);
    if (!gone.empty() && change_.notice)
      change_.notice(fmt::format("model {}: dropped version {} (keep_versions, keep_days)",
                                 object_.key, fmt::join(gone, ", ")));
  }

  std::string Promote(const catalog::ModelVersion& version) {
    const catalog::ModelVersion* champion = change_.state.Champion(object_.key);
    const Promotion promotion =
        champion == nullptr ? Promotion{true, "the first version"}
        : rules_.decides_promotion()
            ? rules_.Decide(*champion, version, "(" + *promotion_query_ + "\n)")
            : Decide(change_.connection, models_, *champion, version, promotion_query_);
    if (!promotion.promoted)
      return fmt::format("version {}: {}", version.version, promotion.reason);
    catalog::AddAliasEvent(change_.connection, change_.state,
                           {.model = object_.key,
                            .alias = "champion",
                            .version = version.version,
                            .at = change_.now,
                            .run_id = change_.run_id,
                            .reason = promotion.reason});
    return fmt::format("version {} became champion: {}", version.version, promotion.reason);
  }

  const catalog::Object& object_;
  const syntax::CreateModel& statement_;
  Change& change_;
  session::ModelStore& models_;
  TrainingDefaults defaults_;
  ProjectionRequest projecting_;
  std::optional<ml::TuningOptions> tuning_;
  std::optional<std::string> promotion_query_;
  TrainingRules rules_;
  std::optional<int64_t> started_from_;  // a version of this model
  session::Projection projection_;
  std::vector<session::ProjectedInput> keys_;           // of PARTITION BY
  const syntax::SourceText* part_ = &statement_.query;  // where an error without a place lies
};

}  // namespace

session::ChangeOutcome Train(const catalog::Object& object, Change& change,
                             session::ModelStore& models, const TrainingDefaults& defaults) {
  return Training(object, change, models, defaults).Run();
}

}  // namespace braid::train
