// SPDX-License-Identifier: Apache-2.0
// Precompiled for every module: what nearly every file includes anyway. Files still include what
// they use themselves (the header check builds each header without this one).
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>
