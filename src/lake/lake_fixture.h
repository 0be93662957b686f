// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "lake/lake.h"
#include "lake/write_transaction.h"

namespace braid::lake {

// For tests: a lake in a folder that goes when they end.
class LakeTest : public ::testing::Test {
 protected:
  LakeTest() {
    std::string name = (std::filesystem::temp_directory_path() / "braid_lake_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~LakeTest() override {
    Close();
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path home() const { return folder_ / "home"; }
  void Open(bool recover = false) {
    Close();
    lake_ = std::make_unique<Lake>(
        LakeOptions{.home = home(), .engine = {.threads = 2}, .recover = recover}, clock_);
    session_ = lake_->Connect(Scope::kSession);
    run_ = lake_->Connect(Scope::kRun);
  }
  void Close() {
    session_.reset();
    run_.reset();
    lake_.reset();
  }

  static std::string Json(engine::Connection& connection, const std::string& sql) {
    return connection.Scalar(sql).dump();
  }
  std::string Json(const std::string& sql) { return Json(*session_, sql); }
  // Commits one statement; returns its snapshot.
  int64_t Commit(const std::string& statement, const std::string& extra_info = "{}") {
    WriteTransaction transaction(*lake_, *run_, "a test");
    run_->Execute(statement);
    return transaction.Commit("a test", statement.substr(0, 20), extra_info);
  }
  template <typename Work>
  static ErrorCode CodeOf(Work work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::kInternal;
  }
  // Parquet files below the data folder.
  size_t DataFiles() const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home() / "data"))
      files += entry.path().extension() == ".parquet" ? 1 : 0;
    return files;
  }

  SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<Lake> lake_;
  std::unique_ptr<engine::Connection> session_;
  std::unique_ptr<engine::Connection> run_;
};

}  // namespace braid::lake
