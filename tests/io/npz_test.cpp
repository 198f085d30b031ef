#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "byte_builder.hpp"
#include "checkpoint_support.hpp"
#include "support/python.hpp"
#include "zip_builder.hpp"
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/npz_writer.hpp>

namespace dformer {
namespace {

using testing::expect_checkpoint_error;
using testing::TemporaryFile;
using Kind = CheckpointError::Kind;

/// A NumPy file by hand.
std::string npy(const std::string& header, const std::string& content, unsigned major = 1) {
  testing::ByteBuilder file;
  file.text("\x93NUMPY").byte(major).byte(0);
  if (major == 1) {
    file.put(static_cast<std::uint16_t>(header.size()));
  } else {
    file.put(static_cast<std::uint32_t>(header.size()));
  }
  return file.text(header).text(content).data;
}

std::string header(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }  \n";
}

TensorRecord read_array(const std::string& file) {
  return io::NpyReader(testing::bytes_of(file), "file", 0).read("x");
}

Kind error_of(const std::string& file) {
  return expect_checkpoint_error([&] { read_array(file); }).kind();
}

TEST(Npz, ArraysOfEveryTypeAndOrder) {
  testing::ByteBuilder values;
  for (std::uint16_t value = 1; value <= 6; ++value) values.put(value);
  const std::string row_major = npy(header("<i2", "(2, 3)"), values.data);
  const TensorRecord array = read_array(row_major);
  EXPECT_EQ(array.dtype, DType::int16);
  EXPECT_EQ(array.shape, (Shape{2, 3}));
  EXPECT_EQ(array.to_int64(), (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
  const std::string column_major = npy(header("<i2", "(2, 3)", "True"), values.data);
  EXPECT_EQ(read_array(column_major).to_int64(), (std::vector<std::int64_t>{1, 3, 5, 2, 4, 6}));
  const std::string big = npy(header(">i2", "(6,)"), values.data, 2);
  EXPECT_EQ(read_array(big).to_int64()[1], 512);
  const std::string version3 = npy(header("|b1", "()"), "\1", 3);
  EXPECT_EQ(read_array(version3).shape, Shape{});
  EXPECT_EQ(read_array(version3).dtype, DType::boolean);
  const std::string other_order = npy("{\"shape\":(0,7),\"fortran_order\":False,\"descr\":\"=f8\"}", "");
  EXPECT_EQ(read_array(other_order).shape, (Shape{0, 7}));
}

TEST(Npz, DamagedHeadersAreRefused) {
  EXPECT_EQ(error_of("\x93NUMPX\1"), Kind::corrupt_container);
  EXPECT_EQ(error_of(""), Kind::corrupt_container);
  EXPECT_EQ(error_of(npy(header("<f4", "()"), "0000", 4)), Kind::corrupt_container);
  const std::string whole = npy(header("<f4", "()"), "0000");
  for (std::size_t size = 0; size + 4 < whole.size(); ++size)
    EXPECT_EQ(error_of(whole.substr(0, size)), Kind::corrupt_container) << size;
  for (const char* wrong :
       {"", "{", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': No, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': ()}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}"})
    EXPECT_EQ(error_of(npy(wrong, "0000")), Kind::corrupt_container) << wrong;
  for (const char* type : {"|O", "<U3", "<c8", "<u2", "|V2", ""})
    EXPECT_EQ(error_of(npy(header(type, "()"), "0000")), Kind::unsupported_dtype) << type;
  EXPECT_EQ(error_of(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", "0000")),
            Kind::unsupported_dtype);
}

TEST(Npz, ShapesThatLieAllocateNothing) {
  EXPECT_EQ(error_of(npy(header("<f4", "(2,)"), "0000")), Kind::size_mismatch);
  EXPECT_EQ(error_of(npy(header("<f4", "()"), "00000")), Kind::size_mismatch);
  EXPECT_EQ(error_of(npy(header("<f4", "(-1,)"), "0000")), Kind::invalid_shape);
  EXPECT_EQ(error_of(npy(header("<f4", "(1, 1, 1, 1, 1, 1, 1)"), "0000")), Kind::invalid_shape);
  EXPECT_EQ(error_of(npy(header("<f4", "(4611686018427387904, 4611686018427387904)"), "0000")),
            Kind::out_of_bounds);
  EXPECT_EQ(error_of(npy(header("<f8", "(9223372036854775807, 0)"), "0000")), Kind::out_of_bounds);
}

TEST(Npz, ArchivesAreRecognisedAndKeepTheirOrder) {
  testing::ZipBuilder zip;
  zip.add("b.weight.npy", npy(header("<f4", "(1,)"), std::string("\0\0\x80\x3f", 4)));
  zip.add("a.npy", npy(header("<i8", "()"), std::string("\7\0\0\0\0\0\0\0", 8)));
  zip.add("notes.txt", "not an array");
  const TemporaryFile file(zip.finish());
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.format(), io::FileFormat::npz);
  ASSERT_EQ(checkpoint.tensors().size(), 2u);
  EXPECT_EQ(checkpoint.tensors()[0].name, "b.weight");
  EXPECT_EQ(checkpoint.find("b.weight")->to_float32(), (std::vector<float>{1}));
  EXPECT_EQ(checkpoint.find("a")->to_int64(), (std::vector<std::int64_t>{7}));
}

TEST(Npz, NamesMayHaveColons) {
  const TemporaryFile file("");
  write_npz(file.path(), std::vector<NamedTensor>{{"conv/kernel:0", tensor_of(1.0f)}});
  EXPECT_NE(read_checkpoint(file.path()).find("conv/kernel:0"), nullptr);
}

TEST(Npz, NamesThatLeadOutOfTheArchiveAreRefused) {
  const std::string array = npy(header("<f4", "()"), "0000");
  for (const char* name : {"../x.npy", "/etc/x.npy", "a/../../x.npy", "a\\x.npy"}) {
    testing::ZipBuilder zip;
    zip.add("first.npy", array);
    zip.add(name, array);
    const TemporaryFile file(zip.finish());
    EXPECT_EQ(expect_checkpoint_error([&] { read_checkpoint(file.path()); }).kind(), Kind::corrupt_container)
        << name;
  }
  const TemporaryFile file("before");
  for (const char* name : {"../x", "/etc/x", "a/../../x", "", "..", "a\\x"}) {
    EXPECT_THROW(write_npz(file.path(), std::vector<NamedTensor>{{name, tensor_of(1.0f)}}), ArgumentError)
        << name;
  }
  EXPECT_EQ(std::filesystem::file_size(file.path()), 6u);
}

std::vector<NamedTensor> arrays() {
  TensorSource half = tensor_of({2}, std::vector<std::int16_t>{0x3c00, 0x4000});
  half.dtype = DType::float16;
  return {{"layer.0.weight", tensor_of({2, 3}, std::vector<float>{1, -2, 0.5f, 3e38f, 1e-45f, -0.0f})},
          {"count", tensor_of(std::int64_t{7})},
          {"half", half},
          {"double", tensor_of({1}, std::vector<double>{0.1})},
          {"byte", tensor_of({2, 1, 2}, std::vector<std::uint8_t>{1, 2, 3, 255})},
          {"flag", tensor_of(true)},
          {"none", tensor_of({0, 4}, std::vector<float>{})}};
}

TEST(Npz, OurReaderReadsEveryBit) {
  const TemporaryFile file("before");
  write_npz(file.path(), arrays());
  const Checkpoint checkpoint = read_checkpoint(file.path());
  ASSERT_EQ(checkpoint.tensors().size(), 7u);
  const auto& tensors = checkpoint.tensors();
  EXPECT_EQ(tensors[0].name, "layer.0.weight");
  EXPECT_EQ(tensors[0].shape, (Shape{2, 3}));
  const float weight[] = {1, -2, 0.5f, 3e38f, 1e-45f, -0.0f};
  EXPECT_TRUE(std::ranges::equal(tensors[0].storage, std::as_bytes(std::span(weight))));
  EXPECT_EQ(tensors[1].shape, Shape{});
  EXPECT_EQ(tensors[1].to_int64(), (std::vector<std::int64_t>{7}));
  EXPECT_EQ(tensors[2].to_float32(), (std::vector<float>{1, 2}));
  EXPECT_EQ(tensors[3].dtype, DType::float64);
  EXPECT_EQ(tensors[4].shape, (Shape{2, 1, 2}));
  EXPECT_EQ(tensors[5].dtype, DType::boolean);
  EXPECT_EQ(tensors[6].shape, (Shape{0, 4}));
}

TEST(Npz, WhatNumpyLacksIsRefused) {
  const TemporaryFile file("before");
  TensorSource brain = tensor_of({2}, std::vector<std::int16_t>{0, 0});
  brain.dtype = DType::bfloat16;
  EXPECT_THROW(write_npz(file.path(), std::vector<NamedTensor>{{"x", brain}}), ArgumentError);
  EXPECT_THROW(write_npz(file.path(), std::vector<NamedTensor>{arrays()[0], arrays()[0]}), ArgumentError);
  EXPECT_EQ(std::filesystem::file_size(file.path()), 6u);
}

TEST(Npz, RealNumpyReadsThem) {
  if (!testing::python_has("numpy")) GTEST_SKIP() << "python3 with numpy is missing, so NumPy was not asked";
  const TemporaryFile file("");
  write_npz(file.path(), arrays());
  const testing::Printed printed = testing::run_command(
      "python3 -c \"import numpy, sys; [print(k, v.dtype, v.shape, v.tolist()) for k, v in "
      "numpy.load(sys.argv[1]).items()]\" '" +
      file.path().string() + "'");
  EXPECT_EQ(printed.text,
            "layer.0.weight float32 (2, 3) [[1.0, -2.0, 0.5], [3.0000000054977558e+38, "
            "1.401298464324817e-45, -0.0]]\n"
            "count int64 () 7\nhalf float16 (2,) [1.0, 2.0]\ndouble float64 (1,) [0.1]\n"
            "byte uint8 (2, 1, 2) [[[1, 2]], [[3, 255]]]\nflag bool () True\nnone float32 (0, 4) []\n");
}

}  // namespace
}  // namespace dformer
