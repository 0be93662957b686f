// SPDX-License-Identifier: Apache-2.0
#include "app/init.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace braid::app {

namespace {

using File = std::pair<std::string, std::string>;

std::vector<File> EmptyTemplate(const std::string& name) {
  return {
      {"braid.yaml", "name: " + name + "\n"},
      {".gitignore", ".braid/\n"},
      {"landing/sales-1.csv",
       "sold_at,shop,product,amount\n2026-01-05,north,chair,120.00\n2026-01-05,south,table,340.50\n"
       "2026-01-06,north,lamp,35.90\n2026-01-06,north,chair,-1.00\n"},
      {"bronze/sales.sql",
       "-- Each file in landing/ is read once; put another there and run again.\n"
       "CREATE STREAMING TABLE bronze.sales AS\nSELECT * FROM STREAM read_files('landing/*.csv', "
       "format => 'csv');\n"},
      {"silver/sales.sql",
       "-- Rows that break the rule are dropped and counted: SELECT * FROM "
       "braid.expectation_result.\n"
       "CREATE STREAMING TABLE silver.sales (\n"
       "  CONSTRAINT positive_amount EXPECT (amount > 0) ON VIOLATION DROP ROW\n) AS\n"
       "SELECT CAST(sold_at AS DATE) AS sold_at, shop, product, CAST(amount AS DECIMAL(10, 2)) AS "
       "amount\n"
       "FROM STREAM bronze.sales;\n"},
      {"gold/sales_by_shop.sql",
       "CREATE MATERIALIZED VIEW gold.sales_by_shop AS\n"
       "SELECT shop, count(*) AS sales, CAST(sum(amount) AS DECIMAL(18, 2)) AS revenue\n"
       "FROM silver.sales GROUP BY shop ORDER BY shop;\n"},
  };
}

// A name that is safe in YAML, from the folder's.
std::string ProjectName(const std::filesystem::path& folder) {
  std::string name;
  for (const char c : folder.filename().string())
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) ? "project_" + name
                                                                           : name;
}

}  // namespace

std::string InitProject(const InitCommand& command) {
  if (command.template_name != "empty")
    throw Error(ErrorCode::kUsage, "There is no such template: " + command.template_name,
                "the template is: empty");
  const std::filesystem::path folder = std::filesystem::absolute(command.folder).lexically_normal();
  if (std::filesystem::exists(folder / "braid.yaml"))
    throw Error(ErrorCode::kProjectExists, "The folder already holds a project: " + folder.string(),
                "choose another folder");
  const bool slash = folder.filename().empty();
  const std::vector<File> files = EmptyTemplate(ProjectName(slash ? folder.parent_path() : folder));
  for (const auto& [name, text] : files)
    if (std::filesystem::exists(folder / name))
      throw Error(ErrorCode::kProjectExists, "A file is in the way: " + (folder / name).string(),
                  "choose another folder, or move the file");
  for (const auto& [name, text] : files) {
    const std::filesystem::path parent = (folder / name).parent_path();
    std::error_code failure;
    std::filesystem::create_directories(parent, failure);
    if (failure)
      throw Error(ErrorCode::kIo, fmt::format("Cannot make the folder: {} ({})", parent.string(),
                                              failure.message()));
    WriteFileDurably(folder / name, text);
  }
  return fmt::format("made a project in {}\nnext: cd {} && braid run\n", folder.string(),
                     command.folder);
}

}  // namespace braid::app
