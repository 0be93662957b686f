// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "serve/request_json.h"

namespace braid::serve {

// What the capture log holds of one inference; docs/formats/capture_log.md has the JSON's keys.
struct InferenceRecord {
  int64_t arrived_at_us = 0;
  int64_t answered_at_us = 0;
  std::string status = "ok";  // ok, error, shed
  std::string error;          // "CODE: message"; empty: none
  int64_t service_version = 0;
  std::map<std::string, int64_t> model_versions;
  int64_t lake_snapshot = 0;
  std::string principal;    // empty: NULL
  std::string input_json;   // an object; empty: NULL (a malformed body)
  std::string output_json;  // an object; empty: NULL
};

// {"arrived_at":µs,"answered_at":µs,"status":…,"error":…|null,"service_version":n,"model_versions":{…},
//  "lake_snapshot":n,"principal":…|null,"input":{…}|null,"output":{…}|null}
std::string EncodeInference(const InferenceRecord& record);

// {"inference_id":…|null,"client_request_id":…|null,"origin":…,"observed_at":ISO
// 8601|null,"annotator":…|null,"outcome":{…}}
std::string EncodeFeedback(const FeedbackRow& row);

// SQL that gives the columns of inference.<s> (feedback.<s>) from log rows `position, id,
// client_request_id, recorded_at (µs), payload` named by `rows`: the list after SELECT.
// `input_type` etc. are SQL STRUCT types.
std::string InferenceColumnsSql(const std::string& input_type, const std::string& output_type);
std::string FeedbackColumnsSql(const std::string& outcome_type);

}  // namespace braid::serve
