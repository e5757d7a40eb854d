// Filters of images against plain loops in double.
#pragma once

#include <random>

void test_filters(std::mt19937_64& engine);
