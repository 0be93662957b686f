// SPDX-License-Identifier: Apache-2.0
#include "ml/factor/factor_options.h"

#include "ml/option_reader.h"

namespace braid::ml {

std::vector<std::string_view> FactorOptionNames() {
  return {"num_factors",      "extraction_method", "rotation",  "scores",
          "kaiser_normalize", "max_iterations",    "num_starts"};
}

FactorOptions ParseFactorOptions(const std::vector<Option>& options) {
  const OptionReader reader(options);
  FactorOptions parsed;
  if (reader.Has("num_factors")) parsed.num_factors = reader.Integer("num_factors", 1, 1);
  parsed.extraction = reader.Word("extraction_method", parsed.extraction,
                                  {{"MINRES", Extraction::kMinres},
                                   {"ML", Extraction::kMaximumLikelihood},
                                   {"PRINCIPAL_AXIS", Extraction::kPrincipalAxis}});
  parsed.rotation = reader.Word("rotation", parsed.rotation,
                                {{"NONE", Rotation::kNone},
                                 {"VARIMAX", Rotation::kVarimax},
                                 {"PROMAX", Rotation::kPromax},
                                 {"OBLIMIN", Rotation::kOblimin},
                                 {"QUARTIMAX", Rotation::kQuartimax},
                                 {"GEOMIN", Rotation::kGeomin}});
  // As in R: varimax by itself and within promax is normalised, the others are not.
  parsed.kaiser_normalize =
      reader.Boolean("kaiser_normalize",
                     parsed.rotation == Rotation::kVarimax || parsed.rotation == Rotation::kPromax);
  parsed.num_starts = reader.Integer("num_starts", 1, parsed.num_starts);
  if (parsed.num_starts > kMostRotationStarts)
    OptionReader::Refuse(*reader.Find("num_starts"), "a whole number from 1 to 1000");
  parsed.scores = reader.Word(
      "scores", parsed.scores,
      {{"REGRESSION", FactorScores::kRegression}, {"BARTLETT", FactorScores::kBartlett}});
  parsed.max_iterations = reader.Integer("max_iterations", 1, parsed.max_iterations);
  return parsed;
}

}  // namespace braid::ml
