// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "app/program.h"

int main(int argc, char** argv) {
  return braid::app::RunProgram(std::vector<std::string>(argv + 1, argv + argc));
}
