// SPDX-License-Identifier: Apache-2.0
#include "app/serve_command.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "app/schedules.h"
#include "http/router.h"
#include "http/server.h"

namespace braid::app {

namespace {

constexpr std::chrono::seconds kDrain{10};

void WaitFor(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

}  // namespace

int RunServe(const ServeCommand& command, const Config& config, Instance& instance,
             owner::OutputSink& output, std::stop_token stop) {
  http::ServerOptions options{.address = config.listen_address, .port = config.listen_port};
  if (command.listen) ParseListen(*command.listen, options.address, options.port);
  http::Router router;
  // Checks the address before anything is started.
  http::Server server(options, [&router](http::Request request, http::Respond respond) {
    router.Handle(std::move(request), respond);
  });
  instance.StartServing(router);
  server.Start();
  const bool six = options.address.find(':') != std::string::npos;
  output.Out(fmt::format("listening on http://{}{}{}:{}\n", six ? "[" : "", options.address,
                         six ? "]" : "", server.port()));
  output.Err("next: curl -s http://…/v1/services lists the services; Ctrl-C stops\n");
  {
    const Schedules schedules(config.schedules, instance, output, instance.clock());
    WaitFor(std::move(stop));
  }
  server.Stop(kDrain);
  instance.StopServing(kDrain);
  output.Err("stopped; what was captured is on disk\n");
  return 0;
}

}  // namespace braid::app
