// SPDX-License-Identifier: Apache-2.0
#include "app/signals.h"

#include <pthread.h>

#include <utility>

namespace braid::app {

SignalWatcher::SignalWatcher(std::function<void(int signal)> callback) {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR2}) sigaddset(&watched, signal);
  pthread_sigmask(SIG_BLOCK, &watched, &before_);
  thread_ = std::thread([watched, callback = std::move(callback)] {
    for (int signal = 0; sigwait(&watched, &signal) == 0 && signal != SIGUSR2;) callback(signal);
  });
}

SignalWatcher::~SignalWatcher() {
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace braid::app
