// SPDX-License-Identifier: Apache-2.0
#include "ml/model.h"

#include "ml/glm_model.h"
#include "ml/glm_trainer.h"

namespace braid::ml {

TrainedModel TrainModel(const TrainingRequest& request, RowSource& rows,
                        const TrainingControl& control) {
  switch (request.type) {
    case ModelType::kLinearReg:
    case ModelType::kLogisticReg:
      break;
  }
  TrainedGlm trained = TrainGlm(request, rows, control);
  return {std::make_unique<GlmModel>(std::move(trained.model)), std::move(trained.notices)};
}

std::unique_ptr<Model> LoadModel(std::string_view artefact) {
  return std::make_unique<GlmModel>(GlmModel::FromArtefact(artefact));
}

}  // namespace braid::ml
