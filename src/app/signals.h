// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <csignal>
#include <functional>
#include <thread>

namespace braid::app {

// Takes SIGINT and SIGTERM on a thread of its own while it lives. Make it before any other thread,
// since threads inherit what is blocked. The callback runs on that thread, once a signal.
class SignalWatcher {
 public:
  explicit SignalWatcher(std::function<void(int signal)> callback);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  sigset_t before_;
  std::thread thread_;
};

}  // namespace braid::app
