#pragma once

#include <dformer/core/finding.hpp>

/// What `check_dataset` looks for.
namespace dformer::dataset_findings {

inline constexpr FindingKind no_dataset{"no_dataset", Severity::error, "there is no such folder",
                                        "give the folder that holds the images' folders and the lists"};
inline constexpr FindingKind wrong_layout{"wrong_layout", Severity::error,
                                          "the folders are those of another layout", "choose that layout"};
inline constexpr FindingKind missing_folder{
    "missing_folder", Severity::error, "a folder of images is missing",
    "make it, rename the one that there is, or choose another layout"};
inline constexpr FindingKind missing_list{"missing_list", Severity::error, "a list of images is missing",
                                          "write one with one image a line, such as RGB/2.jpg"};
inline constexpr FindingKind empty_list{"empty_list", Severity::error, "a list names no image",
                                        "write one image a line, such as RGB/2.jpg"};
inline constexpr FindingKind unreadable_list{"unreadable_list", Severity::error,
                                             "a list of images cannot be read", "do as the text says"};
inline constexpr FindingKind names_nothing{
    "names_nothing", Severity::error, "lines of a list name nothing that there is",
    "remove the line or fetch the images; a line is RGB/2.jpg, or 2, relative to the data set's folder"};
inline constexpr FindingKind missing_color{"missing_color", Severity::error, "items have no colour image",
                                           "fetch the image again or remove its line from the list"};
inline constexpr FindingKind missing_depth{"missing_depth", Severity::error, "items have no depth image",
                                           "fetch the image again or remove its line from the list"};
inline constexpr FindingKind missing_labels{"missing_labels", Severity::error, "items have no label image",
                                            "fetch the image again or remove its line from the list"};
inline constexpr FindingKind overlap{
    "overlap", Severity::error, "images are in more than one list",
    "take them out of one of the lists: a score on images that were trained on is none"};
inline constexpr FindingKind duplicate_entry{"duplicate_entry", Severity::warning,
                                             "an image is listed more than once",
                                             "remove the line, unless the image is to count more"};
inline constexpr FindingKind ambiguous_image{
    "ambiguous_image", Severity::warning, "two images of one folder differ in their extension only",
    "remove one of them: images belong together by their names without extension"};
inline constexpr FindingKind unlisted_images{"unlisted_images", Severity::note,
                                             "colour images that no list names",
                                             "nothing, if they are meant to be left out"};

inline constexpr FindingKind unreadable_image{"unreadable_image", Severity::error,
                                              "images cannot be read to their end", "fetch them again"};
inline constexpr FindingKind color_type{"color_type", Severity::error,
                                        "colour images are of another kind than expected",
                                        "store colour as 8-bit images with three channels"};
inline constexpr FindingKind depth_type{
    "depth_type", Severity::error, "depth images do not fit the depth encoding",
    "name the encoding that the files have (--depth-encoding, or dataset.depth_encoding of a recipe)"};
inline constexpr FindingKind label_type{
    "label_type", Severity::error, "label images hold no class numbers",
    "store labels as 8-bit PNG images with one channel, class numbers as values, without a palette"};
inline constexpr FindingKind lossy_labels{
    "lossy_labels", Severity::warning, "labels are stored as JPEG, which changes class numbers",
    "store labels as PNG, from the originals: what JPEG changed cannot be got back"};
inline constexpr FindingKind depth_size{"depth_size", Severity::error,
                                        "depth images have another size than their colour images",
                                        "register depth to the colour camera, or crop both alike"};
inline constexpr FindingKind label_size{
    "label_size", Severity::error, "label images have another size than their colour images",
    "resize labels with nearest neighbours to the size that they were drawn on"};
inline constexpr FindingKind suspicious_depth{"suspicious_depth", Severity::warning,
                                              "depth images look wrong",
                                              "check unit and sensor; docs/depth.md lists common mistakes"};

inline constexpr FindingKind class_names{"class_names", Severity::error, "the class names cannot be used",
                                         "write one name a line, each once, 2 to 255 of them"};
inline constexpr FindingKind class_count{"class_count", Severity::error,
                                         "the number of class names is not the number of classes",
                                         "give one name for each class, in the order of their numbers"};
inline constexpr FindingKind label_offset{
    "label_offset", Severity::error, "labels are numbered otherwise than expected",
    "choose the other numbering (--labels-from-zero, or dataset.labels of a recipe)"};
inline constexpr FindingKind likely_label_offset{
    "likely_label_offset", Severity::warning, "labels look as if they were numbered from 0",
    "if 0 is a class and not what is ignored, pass --labels-from-zero (dataset.labels of a recipe)"};
inline constexpr FindingKind label_255{
    "label_255", Severity::error, "255 stands in labels that are numbered from 1, where 0 is ignored",
    "if they are numbered from 0, pass --labels-from-zero (dataset.labels of a recipe); if not, write 0"};
inline constexpr FindingKind label_out_of_range{
    "label_out_of_range", Severity::error, "labels are higher than the number of classes",
    "give the right number of classes, or write the ignored value where no class is meant"};
inline constexpr FindingKind nothing_labelled{"nothing_labelled", Severity::warning,
                                              "images without a single labelled pixel",
                                              "label them or take them out of the list: they teach nothing"};
inline constexpr FindingKind mostly_ignored{"mostly_ignored", Severity::warning,
                                            "more than half of all pixels are ignored",
                                            "check that the ignored value is what the labels mean by it"};
inline constexpr FindingKind absent_classes{
    "absent_classes", Severity::note, "classes that no pixel has",
    "nothing, if so few are meant; by the official convention they count as 0 in the mean"};

inline constexpr const FindingKind* all[] = {
    &no_dataset,      &wrong_layout,        &missing_folder,     &missing_list,     &empty_list,
    &unreadable_list, &names_nothing,       &missing_color,      &missing_depth,    &missing_labels,
    &overlap,         &duplicate_entry,     &ambiguous_image,    &unlisted_images,  &unreadable_image,
    &color_type,      &depth_type,          &label_type,         &lossy_labels,     &depth_size,
    &label_size,      &suspicious_depth,    &class_names,        &class_count,      &label_offset,
    &label_255,       &likely_label_offset, &label_out_of_range, &nothing_labelled, &mostly_ignored,
    &absent_classes};

}  // namespace dformer::dataset_findings
