// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ml/cluster/kmeans_model.h"
#include "ml/cluster/lloyd.h"
#include "ml/kernels.h"
#include "ml/parallel.h"

namespace braid::ml {

namespace {

constexpr size_t kMostParts = 64;
constexpr size_t kLeastBlocks = 16;  // of a part

}  // namespace

std::vector<double> Points::Point(size_t row) const {
  std::vector<double> point = rows_.Row(row);
  if (distance_ == KMeansDistance::kCosine) {
    std::vector<double> block(point.size() * kSliceRows);
    for (size_t f = 0; f < point.size(); ++f) block[f * kSliceRows] = point[f];
    NormaliseRows(block.data(), point.size());
    for (size_t f = 0; f < point.size(); ++f) point[f] = block[f * kSliceRows];
  }
  return point;
}

size_t Points::parts() const {
  return std::clamp<size_t>(rows_.blocks() / kLeastBlocks, 1, kMostParts);
}

void Points::ForEachBlock(
    const std::function<void(size_t, size_t, size_t, const double*)>& visit) const {
  const size_t blocks = rows_.blocks();
  ForEachPart(parts(), threads_, [&](size_t part) {
    std::vector<double> buffer;
    std::vector<double> scaled;
    for (size_t b = part * blocks / parts(); b < (part + 1) * blocks / parts(); ++b) {
      const double* block = rows_.Block(b, buffer);
      if (distance_ == KMeansDistance::kCosine) {
        scaled.assign(block, block + features() * kSliceRows);
        NormaliseRows(scaled.data(), features());
        block = scaled.data();
      }
      visit(part, b * kSliceRows, rows_.RowsIn(b), block);
    }
  });
}

}  // namespace braid::ml
