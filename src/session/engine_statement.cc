// SPDX-License-Identifier: Apache-2.0
#include "session/engine_statement.h"

#include <string>
#include <vector>

#include "base/text.h"
#include "session/maintenance.h"
#include "syntax/token.h"

namespace braid::session {

namespace {

using syntax::Token;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), tokens_(syntax::Lex(text, "")) {}

  EngineStatementText Read() {
    found_.maintenance = FindMaintenance(text_);
    if (Accept("BEGIN") || Is(0, "START")) {
      found_.read_only_begin = Contains("READ") && Contains("ONLY");
    } else if (Accept("COPY")) {
      ReadCopy();
    } else if (Accept("EXPLAIN")) {
      found_.writes = Accept("ANALYZE") && StartsWrite();
    } else if (Accept("CREATE")) {
      ReadCreate();
    } else if (Accept("DROP")) {
      if (AcceptTableOrView()) Take(TargetUse::kDrop, {"IF", "EXISTS"});
    } else if (Accept("ALTER")) {
      if (AcceptTableOrView()) Take(TargetUse::kAlter, {"IF", "EXISTS"});
    } else if (Accept("INSERT")) {
      if (Accept("OR")) ++at_;
      Accept("INTO");
      Take(TargetUse::kInsert, {});
    } else if (Accept("UPDATE")) {
      Take(TargetUse::kChange, {});
    } else if (Accept("DELETE") || Accept("TRUNCATE") || Accept("MERGE")) {
      if (!Accept("FROM") && !Accept("TABLE")) Accept("INTO");
      Take(TargetUse::kChange, {});
    }
    if (!found_.maintenance.empty()) found_.writes = true;
    return found_;
  }

 private:
  bool Is(size_t ahead, std::string_view word) const {
    return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].Is(word);
  }
  bool Accept(std::string_view word) {
    if (!Is(0, word)) return false;
    ++at_;
    return true;
  }
  bool AcceptTableOrView() {
    found_.view = Accept("VIEW");
    return found_.view || Accept("TABLE");
  }
  bool Contains(std::string_view word) const {
    for (const Token& token : tokens_)
      if (token.Is(word)) return true;
    return false;
  }

  bool StartsWrite() const {
    for (const std::string_view word :
         {"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "WITH", "COPY"})
      if (Is(0, word)) return true;
    return false;
  }

  // COPY … TO reads, COPY t FROM writes.
  void ReadCopy() {
    int depth = 0;
    for (size_t i = at_; i < tokens_.size(); ++i) {
      if (tokens_[i].Is("(")) ++depth;
      if (tokens_[i].Is(")")) --depth;
      if (depth != 0) continue;
      if (tokens_[i].Is("TO")) found_.writes = false;
      if (tokens_[i].Is("FROM")) Take(TargetUse::kInsert, {});
      if (tokens_[i].Is("TO") || tokens_[i].Is("FROM")) return;
    }
  }

  void ReadCreate() {
    if (Accept("OR")) Accept("REPLACE");
    if (Accept("TEMP") || Accept("TEMPORARY")) found_.temporary = true;
    if (AcceptTableOrView()) Take(TargetUse::kCreate, {"IF", "NOT", "EXISTS"});
  }

  // [skip words] [catalog.]schema.name
  void Take(TargetUse use, std::initializer_list<std::string_view> skip) {
    for (const std::string_view word : skip) Accept(word);
    std::vector<std::string> parts;
    size_t offset = 0;
    while (at_ < tokens_.size() && tokens_[at_].IsName()) {
      if (parts.empty()) offset = tokens_[at_].begin;
      parts.push_back(syntax::NameOf(tokens_[at_++]));
      if (!Accept(".")) break;
    }
    if (parts.empty()) return;
    found_.use = use;
    syntax::Name name{.schema = "", .name = parts.back(), .offset = offset};
    if (parts.size() >= 2) name.schema = parts[parts.size() - 2];
    // Another attached database is nobody's business here.
    if (parts.size() == 3 && !EqualsIgnoringCase(parts[0], "lake")) found_.temporary = true;
    found_.target = std::move(name);
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  EngineStatementText found_;
};

}  // namespace

EngineStatementText ReadEngineStatement(std::string_view text) { return Reader(text).Read(); }

}  // namespace braid::session
