// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "capture/log.h"
#include "catalog/catalog.h"
#include "lake/lake.h"
#include "lake/read_registry.h"
#include "loop/live_views.h"
#include "loop/mover.h"
#include "serve/capture_payload.h"
#include "session/model_store.h"

namespace braid::loop {

// For tests: a folder that goes when they end.
class LoopFolder {
 public:
  LoopFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "braid_loop_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~LoopFolder() { std::filesystem::remove_all(path_); }
  LoopFolder(const LoopFolder&) = delete;
  LoopFolder& operator=(const LoopFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// For tests: an open lake and its log, as `app` wires them.
struct OpenLoop {
  explicit OpenLoop(const std::filesystem::path& home, bool recover = false,
                    MoverOptions options = {})
      : lake({.home = home, .engine = {.threads = 2}, .recover = recover}, clock),
        log(home / "capture.sqlite", clock),
        models(home / "models"),
        connection(lake.Connect(lake::Scope::kSession)) {
    RegisterCaptureFunctions(*connection, log);
    mover = std::make_unique<Mover>(session::Workspace{lake, catalog, models, reads}, log, options);
    PublishLiveViews(lake);
  }

  // As CREATE SERVICE does.
  void MakeTables(const std::string& service) {
    const std::string inference =
        "inference_id UUID, client_request_id VARCHAR, arrived_at TIMESTAMPTZ, answered_at "
        "TIMESTAMPTZ, status VARCHAR, error VARCHAR, service_version BIGINT, model_versions "
        "MAP(VARCHAR, BIGINT), lake_snapshot BIGINT, principal VARCHAR, input STRUCT(x BIGINT), "
        "output STRUCT(y DOUBLE)";
    const std::string label =
        "origin VARCHAR, observed_at TIMESTAMPTZ, recorded_at TIMESTAMPTZ, annotator VARCHAR, "
        "supersedes UUID, outcome STRUCT(late BOOLEAN)";
    Run(fmt::format("CREATE TABLE lake.inference.\"{}\" ({})", service, inference));
    Run(
        fmt::format("CREATE TABLE lake.feedback.\"{}\" (feedback_id UUID, inference_id UUID, "
                    "client_request_id VARCHAR, {})",
                    service, label));
    Run(fmt::format("CREATE TABLE lake.inference.\"{}_labelled\" ({}, feedback_id UUID, {})",
                    service, inference, label));
    PublishLiveViews(lake);
  }

  capture::Entry Inference(const std::string& service, int64_t x,
                           const std::string& client_request_id = "") {
    serve::InferenceRecord record{.arrived_at_us = 1'000'000, .answered_at_us = 2'000'000};
    record.model_versions = {{"m", 3}};
    record.input_json = fmt::format(R"({{"x":{}}})", x);
    record.output_json = fmt::format(R"({{"y":{}}})", x * 2);
    return {capture::EntryKind::kInference, service, NewUuidV7(clock), EncodeInference(record),
            client_request_id};
  }
  // On an inference when `target` is a UUID, else on a client_request_id.
  capture::Entry Feedback(const std::string& service, const std::string& target, bool late,
                          const std::string& origin = "outcome") {
    serve::FeedbackRow row{.outcome_json = fmt::format(R"({{"late":{}}})", late), .origin = origin};
    (IsUuid(target) ? row.inference_id : row.client_request_id) = target;
    return {capture::EntryKind::kFeedback, service, NewUuidV7(clock), EncodeFeedback(row),
            row.client_request_id.value_or("")};
  }
  std::string Append(capture::Entry entry) {
    std::string id = entry.id;
    log.AppendAndWait({std::move(entry)});
    return id;
  }

  void Run(const std::string& sql) { connection->Execute(sql); }
  std::string Json(const std::string& sql) { return connection->Scalar(sql).dump(); }
  int64_t Count(const std::string& from) {
    return connection->Scalar("SELECT count(*) FROM " + from).get<int64_t>();
  }

  SystemClock clock;
  lake::Lake lake;
  capture::Log log;
  session::ModelStore models;
  catalog::Catalog catalog{catalog::State{}};
  lake::ReadRegistry reads;
  std::unique_ptr<engine::Connection> connection;
  std::unique_ptr<Mover> mover;
};

}  // namespace braid::loop
