#pragma once

#include <random>

// A convolution with its pooling, and a whole stack: the bits of one operation after the other.
void test_prediction(std::mt19937_64& engine);
