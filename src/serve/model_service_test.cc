// SPDX-License-Identifier: Apache-2.0
#include "serve/model_service.h"

#include <future>
#include <nlohmann/json.hpp>

#include "serve/service_fixture.h"
#include "serve/service_runtime.h"

namespace braid::serve {
namespace {

using Json = nlohmann::ordered_json;

class ModelServiceTest : public ServiceTest {
 protected:
  ~ModelServiceTest() override { runtime_.reset(); }

  void Start() {
    runtime_ = std::make_unique<ServiceRuntime>(workspace(), *log_, RuntimeOptions{.threads = 1});
    runtime_->Start();
  }

  std::pair<int, Json> Infer(const std::string& name, const std::string& version,
                             const std::string& inputs) {
    std::promise<Answer> promise;
    runtime_->Ask({.name = name,
                   .version = version,
                   .body = R"({"inputs":[)" + inputs + "]}",
                   .client_request_id = "",
                   .form = OpenInferenceForm(""),
                   .respond = [&](Answer answer) { promise.set_value(std::move(answer)); }});
    const Answer answer = promise.get_future().get();
    return {answer.status, Json::parse(answer.body)};
  }

  std::unique_ptr<ServiceRuntime> runtime_;
};

constexpr const char* kDelay = R"({"name":"dep_delay","datatype":"FP32","shape":[1],"data":[8]})";

TEST_F(ModelServiceTest, BindsTheColumnsThatAModelReads) {
  TrainLate();
  const ModelService model = BindModelService("late@1", *catalog_.Get(), *models_, *run_);
  EXPECT_TRUE(model.schema.is_model);
  EXPECT_EQ(model.schema.version, 1);
  ASSERT_EQ(model.schema.parameters.size(), 1U);
  EXPECT_EQ(model.schema.parameters[0].name, "dep_delay");
  EXPECT_EQ(model.schema.parameters[0].sql_type, "DOUBLE");
  ASSERT_EQ(model.schema.outputs.size(), 2U);
  EXPECT_EQ(model.schema.outputs[0].sql_type, "BOOLEAN");
  EXPECT_EQ(CodeOf([&] { BindModelService("late@2", *catalog_.Get(), *models_, *run_); }),
            ErrorCode::kModelNotFound);
}

TEST_F(ModelServiceTest, AnswersAsEachVersionAndAsTheChampionOfTheTime) {
  TrainLate();
  Start();
  // The log odds are 0.25 · 8 less the version.
  const auto [status, first] = Infer("Late", "", kDelay);
  ASSERT_EQ(status, 200) << first;
  EXPECT_EQ(first.at("model_version"), "1");
  EXPECT_NEAR(first.at("outputs").at(2).at("data").at(1).get<double>(), 1 / (1 + std::exp(-1)),
              1e-12);
  TrainLate();
  runtime_->Refresh();
  EXPECT_EQ(Infer("late", "", kDelay).second.at("model_version"), "2");
  EXPECT_EQ(Infer("late", "1", kDelay).second.at("outputs"), first.at("outputs"));
  EXPECT_EQ(Infer("late@1", "", kDelay).second.at("outputs"), first.at("outputs"));
  EXPECT_EQ(Infer("late@champion", "", kDelay).second.at("model_version"), "2");
  EXPECT_EQ(Infer("late", "3", kDelay).first, 404);
  EXPECT_EQ(Infer("late@1", "2", kDelay).first, 404);
  EXPECT_EQ(Infer("latte", "", kDelay).first, 404);
  // Nobody declared a table for it.
  EXPECT_TRUE(log_->Accounts().empty());
  EXPECT_EQ(log_->last_position(), 0);
}

TEST_F(ModelServiceTest, AServiceHidesTheModelOfItsName) {
  TrainLate();
  Declare("CREATE SERVICE late (dep_delay DOUBLE) AS SELECT dep_delay * 2 AS twice FROM request");
  Start();
  EXPECT_EQ(Infer("late", "", kDelay).second.at("outputs").at(0).at("name"), "twice");
  EXPECT_EQ(Infer("late@1", "", kDelay).second.at("outputs").at(0).at("name"), "predicted_late");
}

}  // namespace
}  // namespace braid::serve
