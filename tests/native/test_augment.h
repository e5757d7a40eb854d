#pragma once

#include <random>

// Images warped by a matrix, against the formula; rows that lie at the ends of their memory.
void test_augment(std::mt19937_64& engine);
