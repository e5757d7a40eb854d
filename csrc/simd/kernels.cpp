// The micro-kernels, written once over Vec and compiled once for each instruction set.
// PYCONV_VEC_HEADER names the header that defines Vec, PYCONV_TABLE the table to fill.
// No STL and no shared inline function here or in what is included (see kernels.h).

#include "simd/kernels.h"

#include PYCONV_VEC_HEADER

#include "simd/batchnorm.h"
#include "simd/bilateral.h"
#include "simd/colours.h"
#include "simd/elementwise.h"
#include "simd/filters.h"
#include "simd/groups.h"
#include "simd/integer_filters.h"
#include "simd/lrn.h"
#include "simd/optimizers.h"
#include "simd/packed_tiles.h"
#include "simd/pooled_tiles.h"
#include "simd/pooling.h"
#include "simd/rows.h"
#include "simd/selection.h"
#include "simd/sparse.h"
#include "simd/tiles.h"
#include "simd/warp.h"
#include "simd/weighted_windows.h"
#include "simd/winners.h"
#include "simd/winograd.h"

namespace pyconv::simd {

extern const Kernels PYCONV_TABLE;
const Kernels PYCONV_TABLE = {
    PYCONV_ISA_NAME,
    kTileRows,
    kTileCols,
    kLanes,
    any_tile,
    kPackedRows,
    any_packed_tile,
    packed_row,
    pack_rows,
    pack_columns,
    tile_columns,
    any_tile_row,
    any_pooled_row,
    any_outer_tile,
    pack_panel,
    pack_panel_transposed,
    any_dot_rows,
    any_stream_rows,
    list_row,
    list_columns,
    kSparseVecs * kLanes,
    any_sparse_row,
    winograd_kernels<2>(),
    winograd_kernels<3>(),
    write_ahead,
    column_sums,
    add,
    sum,
    any_sum_parts,
    any_combine_rows,
    column_moments,
    normalize_rows,
    column_products,
    normalize_backward,
    lrn,
    lrn_backward,
    max_windows,
    max_windows_unpool,
    max_windows_backward,
    mean_windows,
    mean_windows_backward,
    list_winners,
    kPatchVecs,
    any_patch_sums,
    any_patch_spread,
    spread,
    any_spread_windows,
    depthwise_windows,
    any_spread_backward,
    any_weighted_windows,
    relu,
    relu_backward,
    dropout,
    sgd,
    rmsprop,
    adam,
    mix4,
    any_warp_row,
    warp_framed_row,
    recolour,
    convert_u8,
    convert_f64,
    {kFilterRows, any_correlate, weighted_sum, round_u8, round_i16, any_symmetric_rows_u8,
     any_symmetric_cols_u16, sum_rows_u8, mean_cols_u16, move_rows_u8<uint16_t>,
     move_rows_u8<int32_t>, scale_i32, any_median_rows<ManyBytes, uint8_t>,
     any_median_rows<Vec, float>, any_bilateral_row},
};

}  // namespace pyconv::simd
