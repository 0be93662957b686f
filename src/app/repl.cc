// SPDX-License-Identifier: Apache-2.0
#include "app/repl.h"

#include <histedit.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>
#include <string>

#include "app/signals.h"
#include "base/error.h"
#include "base/text.h"
#include "syntax/script.h"
#include "syntax/token.h"

namespace braid::app {

namespace {

constexpr int kHistoryLines = 2000;

volatile std::sig_atomic_t interrupted = 0;

// SIGINT is blocked but for the wait here, so that it is never missed; libedit's own reader would
// go on with the line after it.
int ReadCharacter(EditLine*, wchar_t* character) {
  sigset_t during;
  pthread_sigmask(SIG_SETMASK, nullptr, &during);
  sigdelset(&during, SIGINT);
  std::mbstate_t state{};
  for (;;) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char byte = 0;
    ssize_t count = ppoll(&input, 1, nullptr, &during);
    if (count > 0) count = read(STDIN_FILENO, &byte, 1);
    if (count < 0 && errno == EINTR && interrupted == 0) continue;  // the window's size changed
    if (count <= 0) return static_cast<int>(count);
    // What the terminal keeps of a Ctrl-D that was typed while a statement ran.
    if (byte == '\0') byte = '\x04';
    const size_t length = std::mbrtowc(character, &byte, 1, &state);
    if (length <= 1) return 1;
    if (length == static_cast<size_t>(-1)) state = {};  // bytes that are no character are left out
  }
}

std::filesystem::path HistoryFile() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder = state != nullptr ? std::filesystem::path(state)
                                 : home != nullptr
                                     ? std::filesystem::path(home) / ".local" / "state"
                                     : std::filesystem::path();
  return folder.empty() ? folder : folder / "braid" / "history";
}

class Editor {
 public:
  Editor() : line_(el_init("braid", stdin, stdout, stderr)), history_(history_init()) {
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(line_, EL_EDITOR, "emacs");
    el_set(line_, EL_SIGNAL, 0);
    el_set(line_, EL_GETCFN, &ReadCharacter);
    el_set(line_, EL_CLIENTDATA, this);
    el_set(line_, EL_PROMPT, &Editor::Prompt);
    el_set(line_, EL_HIST, history, history_);
    file_ = HistoryFile();
    if (!file_.empty()) history(history_, &event, H_LOAD, file_.c_str());
  }
  ~Editor() {
    SaveHistory();
    history_end(history_);
    el_end(line_);
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  // False at the end of input.
  bool Read(bool continued, std::string& text) {
    continued_ = continued;
    int count = 0;
    // Before the prompt is shown, so that no key is taken as those of a line in the making.
    el_set(line_, EL_PREP_TERM, 1);
    const char* read = el_gets(line_, &count);
    if (read == nullptr || count <= 0) return false;
    text.assign(read, static_cast<size_t>(count));
    return true;
  }
  void Remember(const std::string& statement) {
    HistEvent event;
    history(history_, &event, H_ENTER, statement.c_str());
  }

 private:
  static char* Prompt(EditLine* line) {
    static char first[] = "braid> ";
    static char next[] = "  ...> ";
    Editor* editor = nullptr;
    el_get(line, EL_CLIENTDATA, &editor);
    return editor != nullptr && editor->continued_ ? next : first;
  }
  // Statements may hold personal data: for the user's eyes alone.
  void SaveHistory() {
    if (file_.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(file_.parent_path(), ignored);
    HistEvent event;
    const mode_t before = umask(077);
    history(history_, &event, H_SAVE, file_.c_str());
    umask(before);
    chmod(file_.c_str(), 0600);
  }

  EditLine* line_;
  History* history_;
  std::filesystem::path file_;
  bool continued_ = false;
};

bool IsLeaving(std::string text) {
  while (!text.empty() &&
         (text.back() == ';' || std::isspace(static_cast<unsigned char>(text.back()))))
    text.pop_back();
  return EqualsIgnoringCase(text, "exit") || EqualsIgnoringCase(text, "quit") || text == "\\q";
}

// At the prompt a signal only ends the reading of the line.
void CatchInterrupts() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);
}

// Text is UTF-8, also where no locale is set.
void ReadUtf8() {
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1)
    std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

int RunRepl(const ReplHooks& hooks) {
  CatchInterrupts();
  ReadUtf8();
  Editor editor;
  std::string statement;
  std::string line;
  for (;;) {
    interrupted = 0;
    const bool read = editor.Read(!statement.empty(), line);
    if (interrupted != 0) {
      statement.clear();
      fputc('\n', stdout);
      continue;
    }
    if (!read) break;
    if (statement.empty() && IsLeaving(line)) return 0;
    if (statement.empty() && line.find_first_not_of(" \t\r\n") == std::string::npos) continue;
    statement += line;
    if (!syntax::IsComplete(statement)) continue;
    editor.Remember(statement);
    {
      const SignalWatcher watcher([&](int) { hooks.interrupt(); });
      hooks.execute(statement);
    }
    statement.clear();
  }
  fputc('\n', stdout);
  return 0;
}

}  // namespace braid::app
