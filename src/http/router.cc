// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/message.h"

namespace braid::http {

namespace {

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// GET handlers answer HEAD: the server drops the body.
bool Takes(std::string_view route_method, std::string_view method) {
  return route_method == method || (route_method == "GET" && method == "HEAD");
}

}  // namespace

void Router::Add(std::string method, std::string pattern, RouteHandler handler) {
  BRAID_CHECK(pattern.starts_with('/'));
  Route route{.method = std::move(method),
              .pattern = pattern,
              .segments = {},
              .handler = std::move(handler)};
  for (const std::string_view text : Split(pattern)) {
    const bool is_parameter = text.size() > 2 && text.front() == '{' && text.back() == '}';
    BRAID_CHECK(is_parameter || text.find_first_of("{}") == std::string_view::npos);
    route.segments.push_back(
        {is_parameter, std::string(is_parameter ? text.substr(1, text.size() - 2) : text)});
  }
  for (const Route& other : routes_)
    BRAID_CHECK(other.method != route.method || other.pattern != route.pattern);
  routes_.push_back(std::move(route));
}

bool Router::Matches(const Route& route, const std::vector<std::string_view>& segments) {
  return std::equal(route.segments.begin(), route.segments.end(), segments.begin(), segments.end(),
                    [](const Segment& segment, std::string_view text) {
                      return segment.is_parameter ? !text.empty() : segment.text == text;
                    });
}

void Router::Handle(Request request, const Respond& respond) const {
  const std::vector<std::string_view> segments = Split(request.path);
  const Route* best = nullptr;
  std::vector<std::string_view> allowed;
  auto parameters_of = [](const Route& route) {
    return std::count_if(route.segments.begin(), route.segments.end(),
                         [](const Segment& segment) { return segment.is_parameter; });
  };
  for (const Route& route : routes_) {
    if (!Matches(route, segments)) continue;
    if (!Takes(route.method, request.method)) {
      allowed.push_back(route.method);
    } else if (best == nullptr || parameters_of(route) < parameters_of(*best)) {
      best = &route;
    }
  }
  if (best != nullptr) {
    PathParameters parameters;
    for (size_t i = 0; i < segments.size(); ++i)
      if (best->segments[i].is_parameter) parameters.emplace(best->segments[i].text, segments[i]);
    best->handler(std::move(request), parameters, respond);
    return;
  }
  if (allowed.empty()) return respond(ErrorResponse(NotFound(request.path)));
  if (std::find(allowed.begin(), allowed.end(), "GET") != allowed.end()) allowed.push_back("HEAD");
  const std::string methods = fmt::format("{}", fmt::join(allowed, ", "));
  Response response =
      ErrorResponse(Error(ErrorCode::kMethodNotAllowed,
                          fmt::format("Method not allowed: {} {}", request.method, request.path),
                          fmt::format("this endpoint takes {}", methods)));
  response.headers.emplace_back("Allow", methods);
  respond(std::move(response));
}

Error Router::NotFound(std::string_view path) const {
  const std::vector<std::string_view> segments = Split(path);
  std::vector<std::string> candidates;
  for (const Route& route : routes_) {
    // A parameter's value is taken over, so that only the literal parts count as mistyped.
    std::string candidate;
    for (size_t i = 0; i < route.segments.size(); ++i) {
      const Segment& segment = route.segments[i];
      const bool is_filled = segment.is_parameter && i < segments.size() && !segments[i].empty();
      candidate += '/';
      candidate += is_filled ? std::string(segments[i])
                             : (segment.is_parameter ? "{" + segment.text + "}" : segment.text);
    }
    candidates.push_back(std::move(candidate));
  }
  const std::string_view shown = path.substr(0, 200);
  const auto closest = path.size() <= 200 ? ClosestMatch(path, candidates) : std::nullopt;
  return Error(ErrorCode::kRouteNotFound, fmt::format("No such endpoint: {}", shown),
               closest ? fmt::format("did you mean {}?", *closest)
                       : "GET /openapi.json lists the endpoints");
}

std::vector<RouteInfo> Router::Routes() const {
  std::vector<RouteInfo> routes;
  for (const Route& route : routes_) routes.push_back({route.method, route.pattern});
  return routes;
}

}  // namespace braid::http
