// Four floats with the compiler's vector extension: SSE on x86-64, whatever a CPU has elsewhere.
#pragma once

namespace {

constexpr int kTileRows = 6;
constexpr int kPackedRows = 6;
constexpr int kTileVecs = 2;

struct Vec {
    typedef float Reg __attribute__((vector_size(16)));
    typedef int Mask __attribute__((vector_size(16)));
    static constexpr int kLanes = 4;
    Reg r;

    static Vec zero() { return {Reg{0.f, 0.f, 0.f, 0.f}}; }
    static Vec set1(float x) { return {Reg{x, x, x, x}}; }
    static Vec load(const float* p) {
        Vec v;
        __builtin_memcpy(&v.r, p, sizeof(Reg));
        return v;
    }
    void store(float* p) const { __builtin_memcpy(p, &r, sizeof(Reg)); }
    // The first n < kLanes floats; the others are 0.
    static Vec load_part(const float* p, int n) {
        float buffer[kLanes] = {};
        for (int i = 0; i < n; ++i) buffer[i] = p[i];
        return load(buffer);
    }
    void store_part(float* p, int n) const {
        float buffer[kLanes];
        store(buffer);
        for (int i = 0; i < n; ++i) p[i] = buffer[i];
    }

    friend Vec operator+(Vec a, Vec b) { return {a.r + b.r}; }
    friend Vec operator-(Vec a, Vec b) { return {a.r - b.r}; }
    friend Vec operator*(Vec a, Vec b) { return {a.r * b.r}; }
    friend Vec operator/(Vec a, Vec b) { return {a.r / b.r}; }
    static Vec fmadd(Vec a, Vec b, Vec c) { return {a.r * b.r + c.r}; }
    static Vec sqrt(Vec a) {
        for (int i = 0; i < kLanes; ++i) a.r[i] = __builtin_sqrtf(a.r[i]);
        return a;
    }

    static Vec min(Vec a, Vec b) { return {a.r < b.r ? a.r : b.r}; }
    static Vec max(Vec a, Vec b) { return {a.r > b.r ? a.r : b.r}; }

    static Mask greater_or_nan(Vec x, Vec y) { return (x.r > y.r) | (x.r != x.r); }
    static bool any_nan(Vec a) {
        bool any = false;
        for (int i = 0; i < kLanes; ++i) any |= a.r[i] != a.r[i];
        return any;
    }
    static Vec select(Mask m, Vec a, Vec b) {
        return {reinterpret_cast<Reg>((reinterpret_cast<Mask>(a.r) & m) |
                                      (reinterpret_cast<Mask>(b.r) & ~m))};
    }
    static Mask equal(Vec a, Vec b) { return a.r == b.r; }
    static Mask not_positive(Vec a) { return a.r <= zero().r; }
    static Vec relu(Vec a) { return select(a.r < zero().r, zero(), a); }

    // Lane i is lane index[i] of a.
    static Vec permute(Vec a, const int* index) {
        float from[kLanes], to[kLanes];
        a.store(from);
        for (int i = 0; i < kLanes; ++i) to[i] = from[index[i]];
        return load(to);
    }

    // A bit for each lane that is not 0; and those lanes first, in their order.
    static unsigned nonzero(Vec a) {
        float lanes[kLanes];
        a.store(lanes);
        unsigned bits = 0;
        for (int i = 0; i < kLanes; ++i) bits |= static_cast<unsigned>(lanes[i] != 0.f) << i;
        return bits;
    }
    static Vec pack(Vec a, unsigned bits) {
        float from[kLanes], to[kLanes] = {};
        a.store(from);
        for (int i = 0, n = 0; i < kLanes; ++i)
            if (bits >> i & 1) to[n++] = from[i];
        return load(to);
    }

    // Rows become columns.
    static void transpose(Vec (&m)[kLanes]) {
        for (int i = 0; i < kLanes; ++i) {
            for (int j = 0; j < i; ++j) {
                const float swapped = m[i].r[j];
                m[i].r[j] = m[j].r[i];
                m[j].r[i] = swapped;
            }
        }
    }
};

// Four unsigned integers of 32 bits.
struct Words {
    typedef unsigned Reg __attribute__((vector_size(16)));
    Reg r;

    static Words set1(unsigned x) { return {Reg{x, x, x, x}}; }
    static Words iota(unsigned x) { return {Reg{x, x + 1, x + 2, x + 3}}; }
    void store(unsigned* p) const { __builtin_memcpy(p, &r, sizeof(Reg)); }
    friend Words operator^(Words a, Words b) { return {a.r ^ b.r}; }
    // The 64 bits of each product, in two halves.
    static void multiply(Words a, unsigned b, Words& low, Words& high) {
        for (int i = 0; i < 4; ++i) {
            const unsigned long long product = static_cast<unsigned long long>(a.r[i]) * b;
            low.r[i] = static_cast<unsigned>(product);
            high.r[i] = static_cast<unsigned>(product >> 32);
        }
    }
};

// Eight unsigned integers of 16 bits.
typedef unsigned short Shorts __attribute__((vector_size(16)));
typedef unsigned char Bytes __attribute__((vector_size(8)));

inline Shorts widen(const unsigned char* p) {
    Bytes bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    return __builtin_convertvector(bytes, Shorts);
}
// Values above 255 give 255.
inline void narrow(Shorts v, unsigned char* p) {
    const Shorts most = Shorts{} + 255;
    const Bytes bytes = __builtin_convertvector(v < most ? v : most, Bytes);
    __builtin_memcpy(p, &bytes, sizeof bytes);
}
// The upper halves of the products.
inline Shorts high_product(Shorts a, Shorts b) {
    typedef unsigned Products __attribute__((vector_size(32)));
    const Products product =
        __builtin_convertvector(a, Products) * __builtin_convertvector(b, Products);
    return __builtin_convertvector(product >> 16, Shorts);
}

}  // namespace
