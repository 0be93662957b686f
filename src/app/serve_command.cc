// SPDX-License-Identifier: Apache-2.0
#include "app/serve_command.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "app/access_log.h"
#include "app/gateway.h"
#include "app/metrics_page.h"
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

void AddMetrics(http::Router& router, const Instance& instance, const Gateway& gateway,
                const Clock& clock) {
  router.Add(
      "GET", "/metrics", [&](http::Request, const http::PathParameters&, http::Respond respond) {
        respond(
            {.status = 200,
             .content_type = kMetricsType,
             .headers = {},
             .body = MetricsPage(instance.ServingStatus(), gateway.counts(), clock.NowMicros())});
      });
}

// Lets what is in flight finish, while new requests are told that the server is stopping. Load
// balancers see that for `delay` at least, and may go elsewhere meanwhile.
void Drain(Gateway& gateway, http::Server& server, std::chrono::milliseconds delay) {
  gateway.Drain();
  std::this_thread::sleep_for(delay);
  gateway.WaitIdle(kDrain);
  server.Stop(kDrain);
}

}  // namespace

int RunServe(const ServeCommand& command, const Config& config, Instance& instance,
             owner::OutputSink& output, std::stop_token stop) {
  const ServerSettings& settings = config.server;
  http::ServerOptions options{.address = config.listen_address,
                              .port = config.listen_port,
                              .max_body_bytes = settings.max_body_bytes,
                              .max_connections = settings.max_connections};
  if (command.listen) ParseListen(*command.listen, options.address, options.port);
  const Clock& clock = instance.clock();
  std::optional<AccessLog> log;
  if (settings.access_log != "off") log.emplace(settings.access_log);
  http::Router router;
  Gateway gateway(router, clock, log ? &*log : nullptr);
  // Checks the address before anything is started.
  http::Server server(options, [&gateway](http::Request request, http::Respond respond) {
    gateway.Handle(std::move(request), std::move(respond));
  });
  AddMetrics(router, instance, gateway, clock);
  instance.StartServing(
      router, {.max_queued_requests = settings.max_queued_requests, .timeout = settings.timeout});
  server.Start();
  const bool six = options.address.find(':') != std::string::npos;
  output.Out(fmt::format("listening on http://{}{}{}:{}\n", six ? "[" : "", options.address,
                         six ? "]" : "", server.port()));
  output.Err("next: curl -s http://…/v1/services lists the services; Ctrl-C stops\n");
  {
    const Schedules schedules(config.schedules, instance, output, instance.clock());
    WaitFor(std::move(stop));
  }
  Drain(gateway, server, settings.drain_delay);
  instance.StopServing(kDrain);
  output.Err("stopped; what was captured is on disk\n");
  return 0;
}

}  // namespace braid::app
