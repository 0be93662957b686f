// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace braid::ml {

// What a tensor of the Open Inference Protocol holds, as SQL sees it.
enum class RemoteFamily : uint8_t { kBoolean, kInteger, kNumber, kText };

// A column as CREATE MODEL declares it: INPUT (name type, …). Types are DuckDB's names.
struct RemoteColumn {
  std::string name;
  std::string type;
};

// A tensor of the server's model and the column that fills it, or that it fills.
struct RemotePort {
  std::string name;      // the server's
  std::string datatype;  // the server's: "FP32"
  std::string column;
  std::string type;  // DuckDB's: "FLOAT", "FLOAT[4]", "FLOAT[]"
  RemoteFamily family = RemoteFamily::kNumber;
  bool is_list = false;
  std::vector<int64_t> shape;  // of a row, at most one of them -1: as the values come
};

// What a remote model takes and gives.
struct RemoteSignature {
  std::vector<RemotePort> inputs;
  std::vector<RemotePort> outputs;
  bool one_row = false;  // a request holds one row
  bool is_told = true;   // by the server; else the declaration is all that is known
};

// Compares what the server says of its model (the body of GET /v2/models/m) with what is declared;
// with nothing declared, all that the server tells is taken. Throws kModelImport for what does not
// fit, kRemoteServer when the body is not what the protocol says.
RemoteSignature MatchSignature(std::string_view metadata, const std::vector<RemoteColumn>& inputs,
                               const std::vector<RemoteColumn>& outputs);

// The type as which SQL gives an input to the model: "DOUBLE", "BIGINT", "BOOLEAN", or "VARCHAR",
// which holds a list as JSON.
std::string CarrierType(const RemotePort& port);

nlohmann::ordered_json ToJson(const RemotePort& port);
// Throws nlohmann's exceptions, kLakeDamaged.
RemotePort ReadRemotePort(const nlohmann::ordered_json& json);

}  // namespace braid::ml
