// SPDX-License-Identifier: Apache-2.0
#include "train/training_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "catalog/place.h"
#include "engine/functions.h"
#include "ml/gram.h"
#include "ml/model_kind.h"
#include "ml/options.h"
#include "session/ml_sql.h"
#include "session/rewrite.h"
#include "session/scoring_call.h"
#include "syntax/format.h"
#include "syntax/token.h"
#include "train/promotion.h"
#include "train/training_rows.h"
#include "train/transform.h"

namespace braid::train {

namespace {

using session::Change;
using Json = nlohmann::ordered_json;

Json ToJson(const OptionValue& option) {
  return std::visit(
      [](const auto& value) -> Json {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Value, OptionValue::List>) {
          Json list = Json::array();
          for (const OptionValue& item : value) list.push_back(ToJson(item));
          return list;
        } else if constexpr (std::is_same_v<Value, OptionValue::Struct>) {
          Json fields = Json::object();
          for (const auto& [name, item] : value) fields[name] = ToJson(item);
          return fields;
        } else {
          return value;
        }
      },
      option.value);
}

// Moments, gathered by all threads in one scan.
struct GramState final : engine::AggregateFunction::State {
  explicit GramState(size_t inputs) : gram(inputs) {}
  void Add(const Batch& rows) override { gram.Add(rows); }
  void Merge(State& other) override { gram.Merge(static_cast<GramState&>(other).gram); }
  std::string Finish() override { return gram.Serialize(); }
  ml::GramAccumulator gram;
};

class Training {
 public:
  Training(const catalog::Object& object, Change& change, session::ModelStore& models,
           const TrainingDefaults& defaults)
      : object_(object),
        statement_(std::get<syntax::CreateModel>(*object.statement)),
        change_(change),
        models_(models),
        defaults_(defaults) {}

  session::ChangeOutcome Run() {
    ReadOptions();
    const std::string query = Rewritten(statement_.query);
    try {
      Describe(query);
      // A fit from sums reads its rows once, and once more to judge it.
      const TrainingRows rows(change_.connection, query, options_,
                              !statement_.transform && MomentsSuffice(Request())
                                  ? RowAccess::kInPlace
                                  : RowAccess::kKept);
      if (promotion_query_) RefuseOverlap(change_.connection, rows, *promotion_query_);
      if (statement_.transform) Transform(rows);
      const session::StoredModel stored{projection_, Fit(rows)};
      return Publish(rows, stored);
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, *part_);
    }
  }

 private:
  void ReadOptions() {
    try {
      options_ = ml::ParseModelOptions(statement_.options);
      if (kind().task == ml::Task::kProjection && options_.promotion_query)
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("PROMOTION_QUERY is no option of {}", kind().name),
                    "no rows can tell which of two projections is better; the newest becomes "
                    "champion");
      if (kind().named_columns != nullptr) named_ = kind().named_columns(statement_.options);
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, OptionOffset(error));
    }
    if (options_.promotion_query)
      promotion_query_ = Rewritten({*options_.promotion_query, PromotionOffset()});
  }

  // Errors of options name the option; it is shown where it stands.
  size_t OptionOffset(const Error& error) const {
    for (const Option& option : statement_.options)
      if (ToLower(error.message()).find(option.name) != std::string::npos) return option.offset;
    return statement_.name.offset;
  }
  size_t PromotionOffset() const {
    for (const Option& option : statement_.options)
      if (option.name == "promotion_query") return option.offset;
    return 0;
  }

  std::string Rewritten(const syntax::SourceText& part) {
    try {
      session::RewriteContext context{change_.state, models_, {}, {}};
      return session::RewriteQuery(part.text, context).text();
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, part);
    }
  }

  void Describe(const std::string& query) {
    const engine::StatementInfo info = change_.connection.DescribeStatement(query);
    for (size_t i = 0; i < info.column_names.size(); ++i)
      columns_.push_back({info.column_names[i], info.column_types[i]});
    if (HasLabel()) FindLabel();
    if (!statement_.transform)
      projection_.inputs = named_ ? NamedInputs(columns_, named_->inputs)
                                  : MakeInputs(columns_, projection_.label, options_);
    if (options_.instance_weight_col) FindColumn(columns_, *options_.instance_weight_col);
  }

  // Inputs over the rows as they are given, with the statistics of those that are trained on.
  void Transform(const TrainingRows& rows) {
    std::vector<std::string> untouched;
    if (!projection_.label.empty()) untouched.push_back(projection_.label);
    if (options_.data_split_col) untouched.push_back(*options_.data_split_col);
    if (options_.instance_weight_col) untouched.push_back(*options_.instance_weight_col);
    part_ = &*statement_.transform;
    FrozenTransform frozen = FreezeTransform(change_.connection, *statement_.transform, columns_,
                                             rows.TrainingQuery(), untouched);
    projection_.transform = frozen.columns;
    projection_.inputs = named_ ? NamedColumns(frozen.columns) : std::move(frozen.inputs);
    part_ = &statement_.query;
  }

  std::vector<session::ProjectedInput> NamedColumns(
      const std::vector<session::ProjectedInput>& columns) const {
    std::vector<lake::Column> known;
    for (const session::ProjectedInput& column : columns) known.push_back({column.name, ""});
    std::vector<session::ProjectedInput> inputs = NamedInputs(known, named_->inputs);
    for (session::ProjectedInput& input : inputs)
      for (const session::ProjectedInput& column : columns)
        if (column.name == input.name) input.expression = column.expression;
    return inputs;
  }

  bool HasLabel() const { return named_ || ml::IsSupervised(kind().task); }

  void FindLabel() {
    const lake::Column& column =
        FindColumn(columns_, named_ ? named_->label : options_.label, "label column",
                   "name it in OPTIONS (input_label_cols = ['…'])");
    projection_.label = column.name;
    projection_.label_type = column.type;
    if (!Classifies() && !IsNumeric(projection_.label_type))
      throw Error(ErrorCode::kTrainingData,
                  fmt::format("The label of a regression is not a number: {} {}", projection_.label,
                              projection_.label_type),
                  "cast it, or use model_type = 'logistic_reg'");
  }

  const ml::ModelKind& kind() const { return *options_.kind; }
  bool Classifies() const { return kind().task == ml::Task::kClassification; }

  bool MomentsSuffice(const ml::TrainingRequest& request) const {
    return kind().moments_suffice != nullptr && kind().moments_suffice(request);
  }

  // All of it but the classes and the held-out rows.
  ml::TrainingRequest Request() const {
    ml::TrainingRequest request{.kind = std::string(kind().name),
                                .inputs = {},
                                .label = projection_.label,
                                .classes_in_order = {},
                                .has_weight = options_.instance_weight_col.has_value(),
                                .settings = statement_.options,
                                .seed = options_.seed,
                                .threads = static_cast<size_t>(std::max<int64_t>(1, Threads()))};
    for (const session::ProjectedInput& input : projection_.inputs)
      request.inputs.push_back(
          {input.name, input.is_category ? ml::InputKind::kCategory : ml::InputKind::kNumeric});
    return request;
  }

  // The labels that occur, in their type's order.
  std::vector<std::string> Classes(const TrainingRows& rows) {
    std::vector<std::string> classes;
    for (const auto& row : change_.connection.Rows(fmt::format(
             "SELECT CAST(v AS VARCHAR) FROM (SELECT DISTINCT CAST({} AS {}) AS v FROM {}) WHERE v "
             "IS NOT NULL ORDER BY v LIMIT 51",
             syntax::QuoteIdentifier(projection_.label),
             session::LabelFamily(projection_.label_type), rows.TrainingQuery())))
      classes.push_back(row[0]);
    if (classes.size() > 50)
      throw Error(ErrorCode::kTrainingData,
                  "The label has more than 50 classes: " + projection_.label,
                  "group the labels, or train a regression");
    return classes;
  }

  // What a RowSource gives: inputs, label, weight.
  std::string InputList() const {
    std::string list = session::InputsSql(projection_.inputs);
    const std::string label = "__braid_row." + syntax::QuoteIdentifier(projection_.label);
    if (Classifies())
      list += fmt::format(", CAST(CAST({} AS {}) AS VARCHAR)", label,
                          session::LabelFamily(projection_.label_type));
    else if (HasLabel())
      list += fmt::format(", CAST({} AS DOUBLE)", label);
    if (options_.instance_weight_col)
      list += fmt::format(", CAST(__braid_row.{} AS DOUBLE)",
                          syntax::QuoteIdentifier(*options_.instance_weight_col));
    return list;
  }

  std::shared_ptr<const ml::Model> Fit(const TrainingRows& rows) {
    ml::TrainingRequest request = Request();
    if (Classifies()) request.classes_in_order = Classes(rows);
    QueryRows source(change_.connection, fmt::format("SELECT {} FROM {} AS __braid_row",
                                                     InputList(), rows.TrainingQuery()));
    QueryRows held_out(change_.connection, fmt::format("SELECT {} FROM {} AS __braid_row",
                                                       InputList(), rows.EvaluationQuery()));
    if (rows.is_split()) request.held_out = &held_out;
    ml::TrainingControl control;
    control.stop = change_.stop;
    control.progress = [this](double fraction, double loss) {
      if (change_.progress) change_.progress(fraction, fmt::format("loss {:.4f}", loss));
    };
    ml::TrainedModel trained =
        MomentsSuffice(request)
            ? kind().train_from_moments(request, Moments(request, rows), source, control)
            : kind().train(request, source, control);
    for (const std::string& notice : trained.notices)
      if (change_.notice) change_.notice(fmt::format("model {}: {}", object_.key, notice));
    return std::move(trained.model);
  }

  ml::GramAccumulator Moments(const ml::TrainingRequest& request, const TrainingRows& rows) {
    const size_t inputs = request.inputs.size();
    const std::string list = InputList() + (HasLabel() ? "" : ", CAST(0 AS DOUBLE)");
    ml::GramAccumulator gram(inputs);
    if (Threads() == 1) {
      // One thread adds in one order, so that the same rows give the same bits.
      QueryRows(change_.connection,
                fmt::format("SELECT {} FROM {} AS __braid_row", list, rows.TrainingQuery()))
          .Scan([&gram](const Batch& batch) { gram.Add(batch); });
      return gram;
    }
    engine::Result result = change_.connection.Query(fmt::format(
        "SELECT {}({}) FROM {} AS __braid_row", GramFunction(inputs), list, rows.TrainingQuery()));
    const std::optional<engine::Chunk> chunk = result.Next();
    const ColumnView& sums = chunk->AsBatch().columns.at(0);
    return sums.IsValid(0) ? ml::GramAccumulator::Deserialize(sums.strings()[0]) : std::move(gram);
  }

  // The name of the aggregate over so many inputs. An engine keeps what was registered once.
  std::string GramFunction(size_t inputs) {
    std::string name = fmt::format("braid_gram_{}", inputs);
    const bool known = change_.connection
                           .Query(fmt::format("FROM duckdb_functions() WHERE function_name = {}",
                                              syntax::QuoteString(name)))
                           .Next()
                           .has_value();
    if (!known)
      engine::Register(change_.connection,
                       engine::AggregateFunction{
                           .name = name, .parameter_count = inputs + 1, .make_state = [inputs] {
                             return std::make_unique<GramState>(inputs);
                           }});
    return name;
  }

  int64_t Threads() const { return options_.threads > 0 ? options_.threads : defaults_.threads; }

  session::ChangeOutcome Publish(const TrainingRows& rows, const session::StoredModel& stored) {
    catalog::ModelVersion version;
    version.model = object_.key;
    auto& versions = change_.state.versions[object_.key];
    version.version = versions.empty() ? 1 : versions.back().version + 1;
    version.type = kind().name;
    version.created_at = change_.now;
    version.run_id = change_.run_id;
    // The commit of this very change holds the rows that were trained on.
    version.snapshot_id = change_.base_snapshot + 1;
    version.query = statement_.query.text;
    Json options = Json::object();
    for (const Option& option : statement_.options) options[option.name] = ToJson(option.value);
    version.options = options.dump();
    version.seed = options_.seed;
    version.threads = Threads();
    version.rows = stored.core->rows();
    version.artefact_sha256 = models_.Put(stored);
    version.metrics = Evaluate(rows, version, stored);
    catalog::AddModelVersion(change_.connection, version);
    versions.push_back(version);
    return {.action = "trained", .reason = Promote(version), .rows = version.rows};
  }

  std::map<std::string, double> Evaluate(const TrainingRows& rows,
                                         const catalog::ModelVersion& version,
                                         const session::StoredModel& stored) {
    std::map<std::string, double> metrics = stored.core->TrainingMetrics();
    if (!stored.core->can_be_judged()) return metrics;
    syntax::MappedText held_out;
    held_out.Append(rows.EvaluationQuery());
    engine::Result result = change_.connection.Query(
        "SELECT * FROM " + session::EvaluateSql({version, stored}, held_out).text());
    const std::vector<std::string> names = result.column_names();
    const std::optional<engine::Chunk> chunk = result.Next();
    for (size_t i = 0; chunk && i < names.size(); ++i) {
      const Json value = chunk->Value(i, 0);
      if (value.is_number()) metrics[names[i]] = value.get<double>();
    }
    return metrics;
  }

  std::string Promote(const catalog::ModelVersion& version) {
    const catalog::ModelVersion* champion = change_.state.Champion(object_.key);
    const Promotion promotion = champion == nullptr ? Promotion{true, "the first version"}
                                                    : Decide(change_.connection, models_, *champion,
                                                             version, promotion_query_);
    if (!promotion.promoted)
      return fmt::format("version {}: {}", version.version, promotion.reason);
    catalog::AddAliasEvent(change_.connection, {.model = object_.key,
                                                .alias = "champion",
                                                .version = version.version,
                                                .at = change_.now,
                                                .run_id = change_.run_id,
                                                .reason = promotion.reason});
    change_.state.aliases[object_.key]["champion"] = version.version;
    return fmt::format("version {} became champion: {}", version.version, promotion.reason);
  }

  const catalog::Object& object_;
  const syntax::CreateModel& statement_;
  Change& change_;
  session::ModelStore& models_;
  TrainingDefaults defaults_;
  ml::ModelOptions options_;
  std::optional<ml::NamedColumns> named_;
  std::optional<std::string> promotion_query_;
  session::Projection projection_;
  std::vector<lake::Column> columns_;                   // of the training query
  const syntax::SourceText* part_ = &statement_.query;  // where an error without a place lies
};

}  // namespace

session::ChangeOutcome Train(const catalog::Object& object, Change& change,
                             session::ModelStore& models, const TrainingDefaults& defaults) {
  return Training(object, change, models, defaults).Run();
}

}  // namespace braid::train
