// SPDX-License-Identifier: Apache-2.0
#include "syntax/query.h"

#include <fmt/format.h>

#include "base/text.h"
#include "syntax/cursor_internal.h"

namespace braid::syntax {

namespace {

// The functions over rows alone. A preprocessing function may begin with a parenthesis, too.
bool IsRowsFunction(std::string_view name) {
  return name == "DESCRIBE_DATA" || name == "VALIDATE_DATA_DRIFT";
}

class Finder {
 public:
  Finder(std::string_view query, const std::function<bool(const Name&)>& is_service)
      : cursor_(query, StatementPlace{}), is_service_(is_service) {}

  QueryExtensions Run() {
    for (; !cursor_.AtEnd();) {
      if (AtMl()) {
        TakeMl();
      } else if (AtServiceCall()) {
        TakeServiceCall();
      } else if (AtServiceRequest()) {
        TakeServiceRequest();
      } else if (after_source_word_ && cursor_.Peek().Is("STREAM") && AtStreamSource()) {
        TakeStream();
      } else {
        Step();
      }
    }
    return std::move(found_);
  }

 private:
  // Moves over one token and notes whether a table may follow.
  void Step() {
    const Token& token = cursor_.Next();
    if (token.Is("FROM") || token.Is("JOIN")) {
      after_source_word_ = true;
      after_from_ = token.Is("FROM");
      in_from_ = true;
    } else if (token.Is("LATERAL")) {
      // What follows stands where LATERAL does.
    } else if (token.Is(",")) {
      after_source_word_ = in_from_;
      after_from_ = false;
    } else if (token.Is("(")) {
      // FROM (STREAM t …) keeps what stood before.
      levels_.push_back(in_from_);
    } else if (token.Is(")")) {
      after_source_word_ = false;
      if (!levels_.empty()) {
        in_from_ = levels_.back();
        levels_.pop_back();
      }
    } else {
      after_source_word_ = false;
      for (const char* word :
           {"SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "WINDOW", "QUALIFY", "UNION"})
        if (token.Is(word)) in_from_ = false;
    }
  }

  bool AtMl() const {
    return cursor_.Peek().Is("ML") && cursor_.Peek(1).Is(".") && cursor_.Peek(2).IsName() &&
           cursor_.Peek(3).Is("(");
  }

  void TakeMl() {
    MlCall call;
    call.begin = cursor_.Next().begin;
    cursor_.Next();
    call.function_offset = cursor_.Peek().begin;
    call.function = ToUpper(cursor_.Next().text);
    if (IsRowsFunction(call.function)) {
      TakeRowsCall(call);
      return;
    }
    if (!cursor_.Peek(1).Is("MODEL")) {
      TakeFunction(call);
      return;
    }
    cursor_.Next();
    TakeModel(call);
    while (cursor_.Peek().Is(",") && cursor_.Peek(1).Is("MODEL")) {
      cursor_.Next();
      TakeModel(call);
    }
    // BigQuery ML has the settings of ML.DETECT_ANOMALIES before the rows.
    while (cursor_.Accept(",")) TakeArgument(call);
    call.end = cursor_.Peek().end;
    cursor_.Expect(")", fmt::format("at the end of ML.{}", call.function));
    found_.calls.push_back(std::move(call));
    after_source_word_ = false;
  }

  void TakeModel(MlCall& call) {
    cursor_.Expect("MODEL", fmt::format("in ML.{}", call.function));
    call.models.push_back(cursor_.ExpectModel());
  }

  void TakeArgument(MlCall& call) {
    if (cursor_.Accept("TABLE")) {
      call.rows.push_back({.table = cursor_.ExpectName("a table's name after TABLE"), .query = {}});
    } else if (cursor_.Peek().Is("(")) {
      call.rows.push_back({.table = {}, .query = cursor_.ExpectParenthesised("a query")});
    } else if (call.settings.empty() && cursor_.Accept("STRUCT")) {
      call.settings = cursor_.ParseStructFields();
    } else {
      cursor_.FailExpected({"TABLE", "(", "STRUCT"},
                           fmt::format("after the model of ML.{}", call.function));
    }
  }

  void TakeRowsCall(const MlCall& head) {
    MlRowsCall call{.begin = head.begin,
                    .end = 0,
                    .function = head.function,
                    .function_offset = head.function_offset,
                    .rows = {},
                    .settings = {}};
    const std::string where = fmt::format("in ML.{}", call.function);
    cursor_.Next();
    do {
      if (cursor_.Accept("TABLE")) {
        call.rows.push_back({cursor_.ExpectName("a table's name after TABLE"), {}});
      } else if (cursor_.Peek().Is("(")) {
        call.rows.push_back({{}, cursor_.ExpectParenthesised("a query")});
      } else if (!call.rows.empty() && cursor_.Accept("STRUCT")) {
        call.settings = cursor_.ParseStructFields();
        break;
      } else {
        cursor_.FailExpected({"TABLE", "(", "STRUCT"}, where);
      }
    } while (cursor_.Accept(","));
    call.end = cursor_.Peek().end;
    cursor_.Expect(")", fmt::format("at the end of ML.{}", call.function));
    found_.rows_calls.push_back(std::move(call));
    after_source_word_ = false;
  }

  void TakeFunction(const MlCall& call) {
    MlFunction function{.name = call.function, .begin = call.begin, .arguments = {}, .over = {}};
    cursor_.FindClosing();  // throws where the parenthesis opens
    cursor_.Next();
    if (!cursor_.Peek().Is(")")) {
      do function.arguments.push_back(cursor_.TextUntil({}));
      while (cursor_.Accept(","));
    }
    cursor_.Expect(")", fmt::format("at the end of ML.{}", function.name));
    if (cursor_.Accept("OVER")) {
      if (cursor_.Peek().Is("(")) {
        function.over = cursor_.ExpectParenthesised("(");
      } else {
        const size_t offset = cursor_.Peek().begin;
        function.over = {cursor_.ExpectIdentifier("( after OVER"), offset};
      }
    }
    function.end = EndBefore(cursor_.position());
    found_.functions.push_back(std::move(function));
    after_source_word_ = false;
  }

  size_t EndBefore(size_t position) {
    cursor_.Rewind(position - 1);
    return cursor_.Next().end;
  }

  bool AtServiceCall() const {
    if (!cursor_.Peek().IsName()) return false;
    const size_t name = cursor_.Peek(1).Is(".") && cursor_.Peek(2).IsName() ? 3 : 1;
    return after_source_word_ && cursor_.Peek(name).Is("(") && cursor_.Peek(name + 1).Is("TABLE");
  }

  void TakeServiceCall() {
    ServiceCall call;
    call.begin = cursor_.Peek().begin;
    call.name = cursor_.ExpectName("a service's name");
    cursor_.Expect("(", "after the service's name");
    cursor_.Expect("TABLE", "in a call of a service");
    if (cursor_.Peek().Is("(")) {
      call.rows.query = cursor_.ExpectParenthesised("a query");
    } else {
      call.rows.table = cursor_.ExpectName("a table's name after TABLE");
    }
    call.end = cursor_.Peek().end;
    cursor_.Expect(")", "at the end of the service's call");
    found_.services.push_back(std::move(call));
    after_source_word_ = false;
  }

  bool AtServiceRequest() const {
    if (!is_service_ || !after_source_word_ || !cursor_.Peek().IsName()) return false;
    const bool has_schema = cursor_.Peek(1).Is(".") && cursor_.Peek(2).IsName();
    const Token& last = cursor_.Peek(has_schema ? 2 : 0);
    if (!cursor_.Peek(has_schema ? 3 : 1).Is("(")) return false;
    Name name;
    name.name = NameOf(last);
    if (has_schema) name.schema = NameOf(cursor_.Peek());
    return is_service_(name);
  }

  void TakeServiceRequest() {
    ServiceRequest request;
    request.begin = cursor_.Peek().begin;
    request.stands_first = after_from_;
    request.name = cursor_.ExpectName("a service's name");
    cursor_.Expect("(", "after the service's name");
    while (!cursor_.Peek().Is(")")) {
      ServiceRequest::Argument argument;
      if (cursor_.Peek().IsName() && cursor_.Peek(1).Is(":=")) {
        argument.parameter = cursor_.ExpectIdentifier("a parameter's name");
        cursor_.Next();
      }
      argument.value = cursor_.TextUntil({});
      if (argument.value.text.empty()) cursor_.FailExpected({"a value"}, "in a service's request");
      request.arguments.push_back(std::move(argument));
      if (!cursor_.Accept(",")) break;
    }
    request.end = cursor_.Peek().end;
    cursor_.Expect(")", "at the end of the service's request");
    found_.requests.push_back(std::move(request));
    after_source_word_ = false;
  }

  bool AtStreamSource() const {
    const Token& next = cursor_.Peek(1);
    if (next.Is("(")) return true;
    if (!next.IsName()) return false;
    // FROM stream WHERE …, FROM stream JOIN …: a table of that name.
    for (const char* word :
         {"AS", "WHERE", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "GROUP", "ORDER",
          "LIMIT", "UNION", "USING", "ON", "HAVING", "NATURAL", "ASOF", "POSITIONAL", "SELECT"})
      if (next.Is(word)) return false;
    return true;
  }

  void TakeStream() {
    StreamReference stream;
    stream.begin = cursor_.Next().begin;
    const bool parenthesised = cursor_.Accept("(");
    if (cursor_.Peek().Is("read_files") && cursor_.Peek(1).Is("(")) {
      stream.source = TakeReadFiles();
    } else {
      stream.source = cursor_.ExpectName("a table's name after STREAM");
    }
    if (parenthesised) cursor_.Expect(")", "at the end of STREAM(…)");
    stream.end = EndBefore(cursor_.position());
    found_.streams.push_back(std::move(stream));
    after_source_word_ = false;
  }

  ReadFiles TakeReadFiles() {
    ReadFiles files;
    files.offset = cursor_.Next().begin;
    cursor_.Expect("(", "after read_files");
    files.pattern = cursor_.ExpectString("a path or pattern of files");
    while (cursor_.Accept(",")) {
      const std::string name = ToLower(cursor_.ExpectIdentifier("an option's name"));
      if (!cursor_.Accept("=>") && !cursor_.Accept(":=") && !cursor_.Accept("="))
        cursor_.FailExpected({"=>"}, "after an option's name in read_files");
      const SourceText value = cursor_.TextUntil({});
      if (value.text.empty()) cursor_.Fail("An option has no value: " + name, "", value.offset);
      files.options.emplace_back(name, value.text);
    }
    cursor_.Expect(")", "at the end of read_files");
    return files;
  }

  Cursor cursor_;
  const std::function<bool(const Name&)>& is_service_;
  QueryExtensions found_;
  std::vector<bool> levels_;
  bool after_source_word_ = false;
  bool after_from_ = false;  // of the source that may follow: FROM, and no comma since
  bool in_from_ = false;
};

}  // namespace

QueryExtensions FindExtensions(std::string_view query,
                               const std::function<bool(const Name&)>& is_service) {
  return Finder(query, is_service).Run();
}

}  // namespace braid::syntax
