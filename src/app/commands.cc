// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <stop_token>

#include "app/run_display.h"
#include "base/error.h"
#include "base/file.h"

namespace braid::app {

namespace {

size_t WidthOf(const owner::ForwardedCommand& command) {
  if (!command.stdout_is_terminal) return 0;
  const auto columns = command.environment.find("COLUMNS");
  const long width = columns == command.environment.end() ? 0 : std::atol(columns->second.c_str());
  return width > 20 ? static_cast<size_t>(width) : 80;
}

// "run --select gold.routes": what was typed, for braid.run.
std::string Typed(const owner::ForwardedCommand& command) {
  std::string text = "braid";
  for (const std::string& argument : command.arguments) text += " " + argument;
  return text;
}

}  // namespace

int ExitCodeOf(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kUsage:
      return kExitUsage;
    case ErrorCode::kExpectationFailed:
      return kExitExpectation;
    case ErrorCode::kProjectInvalid:
    case ErrorCode::kProjectNotFound:
    case ErrorCode::kConfigInvalid:
    case ErrorCode::kCycle:
      return kExitInvalidProject;
    case ErrorCode::kLakeBusy:
      return kExitBusy;
    case ErrorCode::kInterrupted:
      return kExitInterrupted;
    default:
      return kExitFailed;
  }
}

Error AsError(const std::exception& failure) {
  const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&failure);
  if (file == nullptr) return Error(ErrorCode::kInternal, failure.what());
  return Error(ErrorCode::kIo,
               fmt::format("{}: {}", file->code().message(), file->path1().string()));
}

InstanceCommands::~InstanceCommands() = default;

int InstanceCommands::Run(const owner::ForwardedCommand& command, owner::OutputSink& output,
                          std::stop_token stop) {
  auto parsed = ParseCommandLine(command.arguments);
  if (const auto* text = std::get_if<ParsedText>(&parsed)) {
    text->exit_code == 0 ? output.Out(text->text) : output.Err(text->text);
    return text->exit_code;
  }
  const CommandLine& line = std::get<CommandLine>(parsed);
  try {
    return Carry(line, command, output, stop);
  } catch (const Error& error) {
    output.Err(RenderError(error, line.format));
    return ExitCodeOf(error);
  } catch (const std::exception& error) {
    output.Err(RenderError(AsError(error), line.format));
    return kExitFailed;
  }
}

int InstanceCommands::Carry(const CommandLine& line, const owner::ForwardedCommand& command,
                            owner::OutputSink& output, std::stop_token stop) {
  if (const auto* sql = std::get_if<SqlCommand>(&line.command))
    return RunSql(line, *sql, command, output, stop);
  if (const auto* run = std::get_if<RunCommand>(&line.command))
    return RunProject(line, *run, command, output, stop);
  if (const auto* plan = std::get_if<PlanCommand>(&line.command))
    return ShowPlan(line, *plan, command, output);
  if (std::holds_alternative<CheckCommand>(line.command)) return Check(output, line.format);
  throw Error(ErrorCode::kLakeBusy, "The lake is served already",
              "stop the other braid serve first");
}

void InstanceCommands::RequireProject() const {
  if (instance_.options().has_project) return;
  throw Error(ErrorCode::kProjectNotFound, "No braid.yaml here or in a folder above",
              "braid init DIR makes a project; -C DIR names one");
}

int InstanceCommands::RunSql(const CommandLine& line, const SqlCommand& sql,
                             const owner::ForwardedCommand& command, owner::OutputSink& output,
                             std::stop_token stop) {
  std::string script = command.standard_input;
  std::string file;
  if (sql.query) {
    script = *sql.query;
  } else if (sql.file && *sql.file != "-") {
    file = *sql.file;
    script = ReadFile(std::filesystem::path(command.working_directory) / *sql.file);
  }
  if (session_ == nullptr) session_ = instance_.NewSession(line.wait);
  const auto sink = MakeResultSink(line.format, output, WidthOf(command));
  const std::stop_callback interrupt(stop, [this] { session_->Interrupt(); });
  session_->ExecuteScript(script, file, *sink);
  return kExitDone;
}

int InstanceCommands::RunProject(const CommandLine&, const RunCommand& run,
                                 const owner::ForwardedCommand& command, owner::OutputSink& output,
                                 std::stop_token stop) {
  RequireProject();
  RunDisplay display(output, command.stderr_is_terminal);
  const flow::RunSummary summary = instance_.Run({.run_id = "",
                                                  .command = Typed(command),
                                                  .select = run.select,
                                                  .full_refresh = run.full_refresh},
                                                 display, stop);
  display.Finish(summary);
  return kExitDone;
}

int InstanceCommands::ShowPlan(const CommandLine&, const PlanCommand& plan,
                               const owner::ForwardedCommand& command, owner::OutputSink& output) {
  RequireProject();
  const flow::Plan made = instance_.Plan({.run_id = "",
                                          .command = Typed(command),
                                          .select = plan.select,
                                          .full_refresh = plan.full_refresh});
  output.Out(RenderPlan(made));
  for (const std::string& warning : made.warnings) output.Err("warning: " + warning + "\n");
  output.Err("next: braid run\n");
  return kExitDone;
}

int InstanceCommands::Check(owner::OutputSink& output, OutputFormat format) {
  RequireProject();
  std::vector<std::string> warnings;
  const std::vector<Error> problems = instance_.Check(warnings);
  for (const Error& problem : problems) output.Err(RenderError(problem, format));
  for (const std::string& warning : warnings) output.Err("warning: " + warning + "\n");
  if (!problems.empty()) {
    output.Err(fmt::format("{} problem{}\n", problems.size(), problems.size() == 1 ? "" : "s"));
    return kExitInvalidProject;
  }
  output.Err("the project is in order; next: braid plan, braid run\n");
  return kExitDone;
}

}  // namespace braid::app
