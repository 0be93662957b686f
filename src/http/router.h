// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/server.h"

namespace braid::http {

// What the {names} of a route's pattern stood for.
using PathParameters = std::map<std::string, std::string, std::less<>>;
using RouteHandler = std::function<void(Request, const PathParameters&, Respond)>;

struct RouteInfo {
  std::string method;
  std::string pattern;
};

// Sends a request to the route that matches its method and path. A pattern is a path whose segments
// may be {name}, which takes one non-empty segment; literal segments win over names. GET routes
// answer HEAD too. Add all routes before the first request; Handle may then run on many threads at
// once.
class Router {
 public:
  // Throws Error INTERNAL for a pattern that is malformed or already there.
  void Add(std::string method, std::string pattern, RouteHandler handler);

  // Answers 404 ROUTE_NOT_FOUND with a did-you-mean, or 405 METHOD_NOT_ALLOWED with Allow, when no
  // route matches.
  void Handle(Request request, const Respond& respond) const;

  // All routes in the order they were added.
  std::vector<RouteInfo> Routes() const;

 private:
  struct Segment {
    bool is_parameter = false;
    std::string text;
  };
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<Segment> segments;
    RouteHandler handler;
  };

  static bool Matches(const Route& route, const std::vector<std::string_view>& segments);
  Error NotFound(std::string_view path) const;

  std::vector<Route> routes_;
};

}  // namespace braid::http
