// SPDX-License-Identifier: Apache-2.0
#include "session/service_sql.h"

#include <fmt/format.h>

#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::QuoteIdentifier;

constexpr std::string_view kRowCountError =
    "braid-error:SERVICE_ROW_COUNT:the service gives no row, or several, for a row of the table";

// "CAST(<alias>.p AS T) AS p, …"
std::string Parameters(const syntax::CreateService& service, const std::string& alias) {
  std::string list;
  for (const syntax::ColumnDefinition& parameter : service.params) {
    const std::string name = QuoteIdentifier(parameter.name);
    list += fmt::format("{}CAST({}{} AS {}) AS {}", list.empty() ? "" : ", ",
                        alias.empty() ? "" : alias + ".", name, parameter.type, name);
  }
  return list.empty() ? "NULL AS __none" : list;
}

std::string WithRequest(const std::string& request, const std::string& body) {
  return fmt::format("(WITH request AS ({}) SELECT * FROM (\n{}\n) AS __braid_body)", request,
                     body);
}

}  // namespace

std::string ServiceOverOneRowSql(const syntax::CreateService& service, const std::string& body,
                                 const std::string& rows) {
  return WithRequest(fmt::format("SELECT {} FROM {}", Parameters(service, ""), rows), body);
}

std::string ServiceOverRowsSql(const syntax::CreateService& service, const std::string& body,
                               const std::string& rows) {
  return fmt::format(
      "SELECT __braid_in.__braid_row, __braid_out.* FROM {} AS __braid_in LEFT JOIN LATERAL "
      "(SELECT *, TRUE "
      "AS __braid_found FROM {} AS __braid_one) AS __braid_out ON TRUE",
      rows, WithRequest("SELECT " + Parameters(service, "__braid_in"), body));
}

syntax::MappedText ServiceOverTableSql(const syntax::CreateService& service,
                                       const std::string& body, const syntax::MappedText& rows) {
  // Where the rows go into text that is otherwise ours.
  const std::string rows_mark = "\x01";
  const std::string made = ServiceOverRowsSql(
      service, body,
      "(SELECT *, row_number() OVER () AS __braid_row FROM " + rows_mark + " AS __braid_table)");
  const size_t at = made.find(rows_mark);
  syntax::MappedText text;
  text.Append(
      "(SELECT * EXCLUDE (__braid_row, __braid_found, __braid_count) FROM (SELECT *, count(*) OVER "
      "(PARTITION BY __braid_row) AS __braid_count FROM (");
  text.Append(made.substr(0, at));
  text.Append(rows);
  text.Append(made.substr(at + rows_mark.size()));
  // In WHERE, since a column that nobody selects is never computed.
  text.Append(
      ") AS __braid_answers) AS __braid_counted WHERE CASE WHEN __braid_found IS NULL OR "
      "__braid_count <> 1 "
      "THEN CAST(error('" +
      std::string(kRowCountError) + "') AS BOOLEAN) ELSE TRUE END)");
  return text;
}

syntax::MappedText ServiceOverValuesSql(const syntax::CreateService& service,
                                        const std::string& body,
                                        const std::vector<syntax::MappedText>& values,
                                        bool of_request) {
  syntax::MappedText text;
  // Named apart first, since `request` means the service's own from there on.
  text.Append("(WITH __braid_asked AS (SELECT ");
  for (size_t i = 0; i < values.size(); ++i) {
    text.Append(i == 0 ? "CAST(" : ", CAST(");
    if (values[i].text().empty())
      text.Append("NULL");
    else
      text.Append(values[i]);
    text.Append(fmt::format(" AS {}) AS {}", service.params[i].type,
                            QuoteIdentifier(service.params[i].name)));
  }
  if (values.empty()) text.Append("NULL AS __none");
  text.Append(of_request ? " FROM request) SELECT * FROM " : ") SELECT * FROM ");
  text.Append(WithRequest("SELECT * FROM __braid_asked", body));
  text.Append(" AS __braid_answer)");
  return text;
}

}  // namespace braid::session
