// SPDX-License-Identifier: Apache-2.0
#include "app/program.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/config.h"
#include "app/init.h"
#include "app/repl.h"
#include "app/serve_command.h"
#include "app/signals.h"
#include "base/error.h"
#include "owner/acquire.h"
#include "owner/command_server.h"

namespace braid::app {

namespace {

class StandardStreams final : public owner::OutputSink {
 public:
  void Out(std::string_view bytes) override { Write(stdout, bytes); }
  void Err(std::string_view bytes) override { Write(stderr, bytes); }

 private:
  static void Write(FILE* stream, std::string_view bytes) {
    fwrite(bytes.data(), 1, bytes.size(), stream);
    fflush(stream);
  }
};

// A lake of its own for `braid sql` outside of projects; gone with the program.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "braid-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) ThrowErrno("Cannot make a temporary folder", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string ReadAll(FILE* stream) {
  std::string text;
  char buffer[65536];
  for (size_t read = 0; (read = fread(buffer, 1, sizeof(buffer), stream)) > 0;)
    text.append(buffer, read);
  return text;
}

owner::ForwardedCommand MakeCommand(const std::vector<std::string>& arguments) {
  owner::ForwardedCommand command;
  command.arguments = arguments;
  command.working_directory = std::filesystem::current_path().string();
  command.stdout_is_terminal = isatty(STDOUT_FILENO) == 1;
  command.stderr_is_terminal = isatty(STDERR_FILENO) == 1;
  winsize size{};
  if (command.stdout_is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    command.environment["COLUMNS"] = std::to_string(size.ws_col);
  return command;
}

// Where the lake is, and what it is opened with.
struct Place {
  std::optional<Config> config;
  std::unique_ptr<TemporaryFolder> temporary;
  InstanceOptions options;
};

Place FindPlace(const CommandLine& line, owner::OutputSink& output) {
  const std::filesystem::path start = line.directory.empty()
                                          ? std::filesystem::current_path()
                                          : std::filesystem::absolute(line.directory);
  Place place;
  const auto root = line.directory.empty()                          ? FindProject(start)
                    : std::filesystem::exists(start / "braid.yaml") ? std::optional(start)
                                                                    : std::nullopt;
  if (root) {
    place.config = LoadConfig(*root);
    place.options = {.home = place.config->home,
                     .root = place.config->root,
                     .engine = place.config->engine,
                     .connections = place.config->connections};
    return place;
  }
  if (!line.directory.empty() || !std::holds_alternative<SqlCommand>(line.command))
    throw Error(ErrorCode::kProjectNotFound,
                fmt::format("No braid.yaml {}: {}",
                            line.directory.empty() ? "here or in a folder above" : "in this folder",
                            start.lexically_normal().string()),
                "braid init DIR makes a project; -C DIR names one");
  place.temporary = std::make_unique<TemporaryFolder>();
  output.Err("no braid.yaml here or in a folder above: using a temporary lake\n");
  place.options = {.home = place.temporary->path() / "lake", .root = start, .has_project = false};
  place.options.engine.temp_directory = place.temporary->path() / "tmp";
  return place;
}

// The process that has the lake's lock: others' commands run here too while ours does.
class Holder {
 public:
  Holder(owner::LakeLock lock, InstanceOptions options)
      : lock_(std::move(lock)), options_(std::move(options)) {
    options_.recover = lock_.needs_recovery();
    instance_ = std::make_unique<Instance>(options_, clock_);
    lock_.SetRecovered();
    server_ = std::make_unique<owner::CommandServer>(
        lock_.socket_path(), [this] { return std::make_unique<InstanceCommands>(*instance_); });
    server_->Start();
  }
  ~Holder() { server_->Stop(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  Instance& instance() { return *instance_; }

 private:
  owner::LakeLock lock_;
  InstanceOptions options_;
  SystemClock clock_;
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<owner::CommandServer> server_;
};

// One command: here when the lake is free, else over there.
int RunOnce(const CommandLine& line, const Place& place, const owner::ForwardedCommand& command,
            owner::OutputSink& output) {
  std::stop_source stop;
  owner::CommandClient* forwarding = nullptr;
  Mutex mutex;
  const SignalWatcher signals([&](int) {
    stop.request_stop();
    MutexLock lock(mutex);
    if (forwarding != nullptr) forwarding->Interrupt();
  });
  for (;;) {
    owner::Access access = owner::OpenLake(place.options.home, line.wait, stop.get_token());
    if (auto* lock = std::get_if<owner::LakeLock>(&access)) {
      const auto holder = std::make_unique<Holder>(std::move(*lock), place.options);
      if (const auto* serve = std::get_if<ServeCommand>(&line.command))
        return RunServe(*serve, *place.config, holder->instance(), output, stop.get_token());
      return InstanceCommands(holder->instance()).Run(command, output, stop.get_token());
    }
    auto& client = std::get<owner::CommandClient>(access);
    {
      MutexLock lock(mutex);
      forwarding = &client;
    }
    const std::optional<int> code = client.Run(command, output);
    {
      MutexLock lock(mutex);
      forwarding = nullptr;
    }
    if (code) return *code;
  }
}

// The REPL: the lake is ours, or its holder's conversation, only while a statement runs or a
// transaction is open.
class Conversation {
 public:
  Conversation(const CommandLine& line, const Place& place, owner::OutputSink& output)
      : line_(line), place_(place), output_(output) {}

  int Execute(std::string_view statement) {
    owner::ForwardedCommand command = MakeCommand(Arguments(statement));
    {
      MutexLock lock(mutex_);
      stop_ = std::stop_source();
    }
    for (;;) {
      if (!client_ && !commands_) Open();
      if (commands_) return Finish(commands_->Run(command, output_, Token()));
      const std::optional<int> code = client_->Run(command, output_);
      if (code) return *code;
      MutexLock lock(mutex_);
      client_.reset();
    }
  }

  void Interrupt() {
    MutexLock lock(mutex_);
    stop_.request_stop();
    if (client_) client_->Interrupt();
  }

 private:
  std::vector<std::string> Arguments(std::string_view statement) const {
    static constexpr std::string_view kFormats[] = {"table", "csv", "json", "markdown"};
    return {"--format", std::string(kFormats[static_cast<size_t>(line_.format)]), "sql", "--",
            std::string(statement)};
  }
  std::stop_token Token() {
    MutexLock lock(mutex_);
    return stop_.get_token();
  }
  void Open() {
    owner::Access access = owner::OpenLake(place_.options.home, line_.wait, Token());
    if (auto* lock = std::get_if<owner::LakeLock>(&access)) {
      holder_ = std::make_unique<Holder>(std::move(*lock), place_.options);
      commands_ = std::make_unique<InstanceCommands>(holder_->instance());
      return;
    }
    MutexLock lock(mutex_);
    client_.emplace(std::move(std::get<owner::CommandClient>(access)));
  }
  int Finish(int code) {
    if (commands_->in_transaction()) return code;
    commands_.reset();
    // A temporary lake lives as long as the conversation.
    if (place_.config) holder_.reset();
    if (holder_ != nullptr) commands_ = std::make_unique<InstanceCommands>(holder_->instance());
    return code;
  }

  const CommandLine& line_;
  const Place& place_;
  owner::OutputSink& output_;
  Mutex mutex_;
  std::stop_source stop_ GUARDED_BY(mutex_);
  std::optional<owner::CommandClient> client_;
  std::unique_ptr<Holder> holder_;
  std::unique_ptr<InstanceCommands> commands_;
};

int RunTerminal(const CommandLine& line, const Place& place, owner::OutputSink& output) {
  Conversation conversation(line, place, output);
  return RunRepl({.execute =
                      [&](std::string_view statement) {
                        try {
                          return conversation.Execute(statement);
                        } catch (const Error& error) {
                          output.Err(RenderError(error, line.format));
                          return ExitCodeOf(error);
                        }
                      },
                  .interrupt = [&] { conversation.Interrupt(); }});
}

int Carry(const CommandLine& line, const std::vector<std::string>& arguments,
          owner::OutputSink& output) {
  if (const auto* init = std::get_if<InitCommand>(&line.command)) {
    output.Err(InitProject(*init));
    return kExitDone;
  }
  const Place place = FindPlace(line, output);
  owner::ForwardedCommand command = MakeCommand(arguments);
  if (const auto* sql = std::get_if<SqlCommand>(&line.command)) {
    const bool from_input = !sql->query && (!sql->file || *sql->file == "-");
    if (from_input && !sql->file && isatty(STDIN_FILENO) == 1)
      return RunTerminal(line, place, output);
    if (from_input) command.standard_input = ReadAll(stdin);
  }
  return RunOnce(line, place, command, output);
}

}  // namespace

int RunProgram(const std::vector<std::string>& arguments) {
  StandardStreams output;
  auto parsed = ParseCommandLine(arguments);
  if (const auto* text = std::get_if<ParsedText>(&parsed)) {
    text->exit_code == 0 ? output.Out(text->text) : output.Err(text->text);
    return text->exit_code;
  }
  const CommandLine& line = std::get<CommandLine>(parsed);
  try {
    return Carry(line, arguments, output);
  } catch (const Error& error) {
    output.Err(RenderError(error, line.format));
    return ExitCodeOf(error);
  } catch (const std::exception& error) {
    output.Err(RenderError(AsError(error), line.format));
    return kExitFailed;
  }
}

}  // namespace braid::app
