#include <iostream>

#include <opencv2/imgcodecs.hpp>

#include <dformer/dformer.hpp>

/// segment FOLDER: labels the image pair rgb.png and depth.png of a folder, as the TUM RGB-D data set has
/// them.
int main(int, char** argv) {
  const std::string folder = argv[1];
  dformer::DFormer_Tiny<> net;
  dformer::initialize(net, 1);  // a real program: dformer::load(net, "NYUv2_DFormer_Tiny.pth")
  const cv::Mat rgb = cv::imread(folder + "/rgb.png");
  const cv::Mat depth = cv::imread(folder + "/depth.png", cv::IMREAD_UNCHANGED);
  const cv::Mat labels = dformer::segment(net, rgb, depth, {.encoding = dformer::TumDepth{}});
  std::cout << labels.cols << " x " << labels.rows << " labels\n";
  return labels.size() == rgb.size() ? 0 : 1;
}
