// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <exception>
#include <memory>
#include <string>

#include "app/command_line.h"
#include "app/instance.h"
#include "owner/command.h"

namespace braid::app {

// Exit codes, as CONTRACT has them.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitExpectation = 3;
inline constexpr int kExitInvalidProject = 4;
inline constexpr int kExitBusy = 75;
inline constexpr int kExitInterrupted = 130;
int ExitCodeOf(const Error& error);
// What is no Error: IO for the file system's, INTERNAL for the rest.
Error AsError(const std::exception& failure);

// Runs commands that need an open lake: plan, run, sql, check. Keeps one SQL session, so that a
// transaction may span the commands of a conversation.
class InstanceCommands final : public owner::CommandHandler {
 public:
  explicit InstanceCommands(Instance& instance) : instance_(instance) {}
  ~InstanceCommands() override;

  // Never throws: errors go to standard error in the asked format.
  int Run(const owner::ForwardedCommand& command, owner::OutputSink& output,
          std::stop_token stop) override;
  bool in_transaction() const { return session_ != nullptr && session_->in_transaction(); }

 private:
  int Carry(const CommandLine& line, const owner::ForwardedCommand& command,
            owner::OutputSink& output, std::stop_token stop);
  int RunSql(const CommandLine& line, const SqlCommand& sql, const owner::ForwardedCommand& command,
             owner::OutputSink& output, std::stop_token stop);
  int RunProject(const CommandLine& line, const RunCommand& run,
                 const owner::ForwardedCommand& command, owner::OutputSink& output,
                 std::stop_token stop);
  int ShowPlan(const CommandLine& line, const PlanCommand& plan,
               const owner::ForwardedCommand& command, owner::OutputSink& output);
  int Check(owner::OutputSink& output, OutputFormat format);
  void RequireProject() const;

  Instance& instance_;
  std::unique_ptr<session::Session> session_;
};

}  // namespace braid::app
