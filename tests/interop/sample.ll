; ModuleID = 'sample.bpf.c'
source_filename = "sample.bpf.c"
target datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"
target triple = "bpf"

%struct.anon.0 = type { ptr, ptr, ptr, ptr }

@limit = dso_local constant i32 5, align 4, !dbg !0
@counts = dso_local global %struct.anon.0 zeroinitializer, section ".maps", align 8, !dbg !53
@total = internal unnamed_addr global i64 0, align 8, !dbg !69
@"llvm.task_struct:0:0$0:0" = external global i64, !llvm.preserve.access.index !12 #0
@"llvm.task_struct:0:6$0:1:0:1:2" = external global i64, !llvm.preserve.access.index !12 #0
@"llvm.zone_type:11:1$1" = external global i64, !llvm.preserve.access.index !5 #0
@llvm.compiler.used = appending global [1 x ptr] [ptr @counts], section "llvm.metadata"

; Function Attrs: nounwind
define dso_local i32 @thread(ptr noundef %0) local_unnamed_addr #1 !dbg !78 {
  %2 = alloca i32, align 4
  call void @llvm.dbg.value(metadata ptr %0, metadata !83, metadata !DIExpression()), !dbg !85
  call void @llvm.lifetime.start.p0(i64 4, ptr nonnull %2) #8, !dbg !86
  call void @llvm.dbg.value(metadata i32 0, metadata !84, metadata !DIExpression()), !dbg !85
  store i32 0, ptr %2, align 4, !dbg !87, !tbaa !88
  %3 = load i64, ptr @"llvm.task_struct:0:0$0:0", align 8
  %4 = getelementptr i8, ptr %0, i64 %3
  %5 = tail call ptr @llvm.bpf.passthrough.p0.p0(i32 0, ptr %4)
  call void @llvm.dbg.value(metadata ptr %2, metadata !84, metadata !DIExpression(DW_OP_deref)), !dbg !85
  %6 = call i64 inttoptr (i64 113 to ptr)(ptr noundef nonnull %2, i32 noundef 4, ptr noundef %5) #9, !dbg !92
  %7 = load i32, ptr %2, align 4, !dbg !93, !tbaa !88
  call void @llvm.dbg.value(metadata i32 %7, metadata !84, metadata !DIExpression()), !dbg !85
  call void @llvm.lifetime.end.p0(i64 4, ptr nonnull %2) #8, !dbg !94
  ret i32 %7, !dbg !95
}

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.start.p0(i64 immarg, ptr nocapture) #2

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.end.p0(i64 immarg, ptr nocapture) #2

; Function Attrs: nounwind
define dso_local i32 @letter(ptr noundef %0) local_unnamed_addr #1 !dbg !96 {
  %2 = alloca i8, align 1
  call void @llvm.dbg.value(metadata ptr %0, metadata !98, metadata !DIExpression()), !dbg !100
  call void @llvm.lifetime.start.p0(i64 1, ptr nonnull %2) #8, !dbg !101
  call void @llvm.dbg.value(metadata i8 0, metadata !99, metadata !DIExpression()), !dbg !100
  store i8 0, ptr %2, align 1, !dbg !102, !tbaa !103
  %3 = load i64, ptr @"llvm.task_struct:0:6$0:1:0:1:2", align 8
  %4 = getelementptr i8, ptr %0, i64 %3
  %5 = tail call ptr @llvm.bpf.passthrough.p0.p0(i32 1, ptr %4)
  call void @llvm.dbg.value(metadata ptr %2, metadata !99, metadata !DIExpression(DW_OP_deref)), !dbg !100
  %6 = call i64 inttoptr (i64 113 to ptr)(ptr noundef nonnull %2, i32 noundef 1, ptr noundef %5) #9, !dbg !104
  %7 = load i8, ptr %2, align 1, !dbg !105, !tbaa !103
  call void @llvm.dbg.value(metadata i8 %7, metadata !99, metadata !DIExpression()), !dbg !100
  %8 = sext i8 %7 to i32, !dbg !105
  call void @llvm.lifetime.end.p0(i64 1, ptr nonnull %2) #8, !dbg !106
  ret i32 %8, !dbg !107
}

; Function Attrs: nofree nosync nounwind memory(read, argmem: none, inaccessiblemem: none)
define dso_local i64 @normal() local_unnamed_addr #3 !dbg !108 {
  %1 = load i64, ptr @"llvm.zone_type:11:1$1", align 8
  %2 = tail call i64 @llvm.bpf.passthrough.i64.i64(i32 2, i64 %1)
  ret i64 %2, !dbg !112
}

; Function Attrs: nounwind
define dso_local i64 @tally(i32 noundef %0) local_unnamed_addr #1 !dbg !113 {
  %2 = alloca i32, align 4
  call void @llvm.dbg.value(metadata i32 %0, metadata !117, metadata !DIExpression()), !dbg !119
  store i32 %0, ptr %2, align 4, !tbaa !88
  call void @llvm.dbg.value(metadata ptr %2, metadata !117, metadata !DIExpression(DW_OP_deref)), !dbg !119
  %3 = call ptr inttoptr (i64 1 to ptr)(ptr noundef nonnull @counts, ptr noundef nonnull %2) #9, !dbg !120
  call void @llvm.dbg.value(metadata ptr %3, metadata !118, metadata !DIExpression()), !dbg !119
  %4 = icmp eq ptr %3, null, !dbg !121
  br i1 %4, label %10, label %5, !dbg !123

5:                                                ; preds = %1
  %6 = load volatile i32, ptr @limit, align 4, !dbg !124, !tbaa !88
  %7 = sext i32 %6 to i64, !dbg !124
  %8 = load i64, ptr %3, align 8, !dbg !125, !tbaa !126
  %9 = add nsw i64 %8, %7, !dbg !125
  store i64 %9, ptr %3, align 8, !dbg !125, !tbaa !126
  br label %10, !dbg !128

10:                                               ; preds = %5, %1
  %11 = call i64 inttoptr (i64 164 to ptr)(ptr noundef nonnull @counts, ptr noundef nonnull @visit, ptr noundef null, i64 noundef 0) #9, !dbg !129
  %12 = load i64, ptr @total, align 8, !dbg !130, !tbaa !126
  ret i64 %12, !dbg !131
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(readwrite, argmem: none, inaccessiblemem: none)
define internal i64 @visit(ptr nocapture readnone %0, ptr nocapture readnone %1, ptr nocapture readnone %2, ptr nocapture readnone %3) #4 !dbg !132 {
  call void @llvm.dbg.value(metadata ptr poison, metadata !136, metadata !DIExpression()), !dbg !140
  call void @llvm.dbg.value(metadata ptr poison, metadata !137, metadata !DIExpression()), !dbg !140
  call void @llvm.dbg.value(metadata ptr poison, metadata !138, metadata !DIExpression()), !dbg !140
  call void @llvm.dbg.value(metadata ptr poison, metadata !139, metadata !DIExpression()), !dbg !140
  %5 = load i64, ptr @total, align 8, !dbg !141, !tbaa !126
  %6 = add nsw i64 %5, 1, !dbg !141
  store i64 %6, ptr @total, align 8, !dbg !141, !tbaa !126
  ret i64 0, !dbg !142
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(none)
define dso_local i1 @both(i1 noundef zeroext %0, i8 noundef zeroext %1) local_unnamed_addr #5 !dbg !143 {
  call void @llvm.dbg.value(metadata i1 %0, metadata !149, metadata !DIExpression(DW_OP_LLVM_convert, 1, DW_ATE_unsigned, DW_OP_LLVM_convert, 8, DW_ATE_unsigned, DW_OP_stack_value)), !dbg !151
  call void @llvm.dbg.value(metadata i8 %1, metadata !150, metadata !DIExpression()), !dbg !151
  %3 = icmp ne i8 %1, 0, !dbg !152
  %4 = and i1 %3, %0, !dbg !152
  ret i1 %4, !dbg !153
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(none)
define dso_local i8 @small(i8 noundef signext %0) local_unnamed_addr #5 !dbg !154 {
  call void @llvm.dbg.value(metadata i8 %0, metadata !159, metadata !DIExpression()), !dbg !160
  %2 = add i8 %0, -1, !dbg !161
  ret i8 %2, !dbg !162
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(none)
define dso_local ptr @same(ptr noundef readnone returned %0) local_unnamed_addr #5 !dbg !163 {
  call void @llvm.dbg.value(metadata ptr %0, metadata !172, metadata !DIExpression()), !dbg !173
  ret ptr %0, !dbg !174
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(none)
define dso_local void @nothing(i32 noundef %0) local_unnamed_addr #5 !dbg !175 {
  call void @llvm.dbg.value(metadata i32 %0, metadata !179, metadata !DIExpression()), !dbg !180
  ret void, !dbg !181
}

; Function Attrs: nofree nosync nounwind memory(none)
declare ptr @llvm.bpf.passthrough.p0.p0(i32, ptr) #6

; Function Attrs: nofree nosync nounwind memory(none)
declare i64 @llvm.bpf.passthrough.i64.i64(i32, i64) #6

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare void @llvm.dbg.value(metadata, metadata, metadata) #7

attributes #0 = { "btf_ama" }
attributes #1 = { nounwind "frame-pointer"="all" "no-builtins" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="v3" }
attributes #2 = { mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite) }
attributes #3 = { nofree nosync nounwind memory(read, argmem: none, inaccessiblemem: none) "frame-pointer"="all" "no-builtins" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="v3" }
attributes #4 = { mustprogress nofree norecurse nosync nounwind willreturn memory(readwrite, argmem: none, inaccessiblemem: none) "frame-pointer"="all" "no-builtins" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="v3" }
attributes #5 = { mustprogress nofree norecurse nosync nounwind willreturn memory(none) "frame-pointer"="all" "no-builtins" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="v3" }
attributes #6 = { nofree nosync nounwind memory(none) }
attributes #7 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #8 = { nounwind }
attributes #9 = { nobuiltin nounwind "no-builtins" }

!llvm.dbg.cu = !{!2}
!llvm.module.flags = !{!73, !74, !75, !76}
!llvm.ident = !{!77}

!0 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression())
!1 = distinct !DIGlobalVariable(name: "limit", scope: !2, file: !3, line: 28, type: !71, isLocal: false, isDefinition: true)
!2 = distinct !DICompileUnit(language: DW_LANG_C11, file: !3, producer: "clang", isOptimized: true, runtimeVersion: 0, emissionKind: FullDebug, enums: !4, retainedTypes: !10, globals: !27, splitDebugInlining: false, nameTableKind: None)
!3 = !DIFile(filename: "sample.bpf.c", directory: "/", checksumkind: CSK_MD5, checksum: "46760fa4982a4c0706fb575fbb087ff1")
!4 = !{!5}
!5 = !DICompositeType(tag: DW_TAG_enumeration_type, name: "zone_type", file: !3, line: 13, baseType: !6, size: 32, elements: !7)
!6 = !DIBasicType(name: "unsigned int", size: 32, encoding: DW_ATE_unsigned)
!7 = !{!8, !9}
!8 = !DIEnumerator(name: "ZONE_DMA", value: 0)
!9 = !DIEnumerator(name: "ZONE_NORMAL", value: 1)
!10 = !{!11, !19, !23}
!11 = distinct !DICompositeType(tag: DW_TAG_structure_type, scope: !12, file: !3, line: 6, size: 128, elements: !17)
!12 = distinct !DICompositeType(tag: DW_TAG_structure_type, name: "task_struct", file: !3, line: 4, size: 160, elements: !13)
!13 = !{!14, !16}
!14 = !DIDerivedType(tag: DW_TAG_member, name: "pid", scope: !12, file: !3, line: 5, baseType: !15, size: 32)
!15 = !DIBasicType(name: "int", size: 32, encoding: DW_ATE_signed)
!16 = !DIDerivedType(tag: DW_TAG_member, scope: !12, file: !3, line: 6, baseType: !11, size: 128, offset: 32)
!17 = !{!18}
!18 = !DIDerivedType(tag: DW_TAG_member, scope: !11, file: !3, line: 7, baseType: !19, size: 128)
!19 = distinct !DICompositeType(tag: DW_TAG_union_type, scope: !11, file: !3, line: 7, size: 128, elements: !20)
!20 = !{!21, !22}
!21 = !DIDerivedType(tag: DW_TAG_member, name: "y", scope: !19, file: !3, line: 8, baseType: !15, size: 32)
!22 = !DIDerivedType(tag: DW_TAG_member, name: "comm", scope: !19, file: !3, line: 9, baseType: !23, size: 128)
!23 = !DICompositeType(tag: DW_TAG_array_type, baseType: !24, size: 128, elements: !25)
!24 = !DIBasicType(name: "char", size: 8, encoding: DW_ATE_signed_char)
!25 = !{!26}
!26 = !DISubrange(count: 16)
!27 = !{!0, !28, !39, !45, !53, !69}
!28 = !DIGlobalVariableExpression(var: !29, expr: !DIExpression())
!29 = distinct !DIGlobalVariable(name: "bpf_probe_read_kernel", scope: !2, file: !3, line: 18, type: !30, isLocal: true, isDefinition: true)
!30 = !DIDerivedType(tag: DW_TAG_const_type, baseType: !31)
!31 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !32, size: 64)
!32 = !DISubroutineType(types: !33)
!33 = !{!34, !35, !36, !37}
!34 = !DIBasicType(name: "long", size: 64, encoding: DW_ATE_signed)
!35 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: null, size: 64)
!36 = !DIDerivedType(tag: DW_TAG_typedef, name: "u32", file: !3, line: 2, baseType: !6)
!37 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !38, size: 64)
!38 = !DIDerivedType(tag: DW_TAG_const_type, baseType: null)
!39 = !DIGlobalVariableExpression(var: !40, expr: !DIExpression())
!40 = distinct !DIGlobalVariable(name: "bpf_map_lookup_elem", scope: !2, file: !3, line: 19, type: !41, isLocal: true, isDefinition: true)
!41 = !DIDerivedType(tag: DW_TAG_const_type, baseType: !42)
!42 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !43, size: 64)
!43 = !DISubroutineType(types: !44)
!44 = !{!35, !35, !37}
!45 = !DIGlobalVariableExpression(var: !46, expr: !DIExpression())
!46 = distinct !DIGlobalVariable(name: "bpf_for_each_map_elem", scope: !2, file: !3, line: 20, type: !47, isLocal: true, isDefinition: true)
!47 = !DIDerivedType(tag: DW_TAG_const_type, baseType: !48)
!48 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !49, size: 64)
!49 = !DISubroutineType(types: !50)
!50 = !{!34, !35, !35, !35, !51}
!51 = !DIDerivedType(tag: DW_TAG_typedef, name: "u64", file: !3, line: 1, baseType: !52)
!52 = !DIBasicType(name: "unsigned long long", size: 64, encoding: DW_ATE_unsigned)
!53 = !DIGlobalVariableExpression(var: !54, expr: !DIExpression())
!54 = distinct !DIGlobalVariable(name: "counts", scope: !2, file: !3, line: 26, type: !55, isLocal: false, isDefinition: true)
!55 = distinct !DICompositeType(tag: DW_TAG_structure_type, file: !3, line: 21, size: 256, elements: !56)
!56 = !{!57, !62, !64, !66}
!57 = !DIDerivedType(tag: DW_TAG_member, name: "type", scope: !55, file: !3, line: 22, baseType: !58, size: 64)
!58 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !59, size: 64)
!59 = !DICompositeType(tag: DW_TAG_array_type, baseType: !15, size: 32, elements: !60)
!60 = !{!61}
!61 = !DISubrange(count: 1)
!62 = !DIDerivedType(tag: DW_TAG_member, name: "key", scope: !55, file: !3, line: 23, baseType: !63, size: 64, offset: 64)
!63 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !15, size: 64)
!64 = !DIDerivedType(tag: DW_TAG_member, name: "value", scope: !55, file: !3, line: 24, baseType: !65, size: 64, offset: 128)
!65 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !34, size: 64)
!66 = !DIDerivedType(tag: DW_TAG_member, name: "max_entries", scope: !55, file: !3, line: 25, baseType: !67, size: 64, offset: 192)
!67 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !68, size: 64)
!68 = !DICompositeType(tag: DW_TAG_array_type, baseType: !15, size: 512, elements: !25)
!69 = !DIGlobalVariableExpression(var: !70, expr: !DIExpression())
!70 = distinct !DIGlobalVariable(name: "total", scope: !2, file: !3, line: 27, type: !34, isLocal: true, isDefinition: true)
!71 = !DIDerivedType(tag: DW_TAG_const_type, baseType: !72)
!72 = !DIDerivedType(tag: DW_TAG_volatile_type, baseType: !15)
!73 = !{i32 7, !"Dwarf Version", i32 5}
!74 = !{i32 2, !"Debug Info Version", i32 3}
!75 = !{i32 1, !"wchar_size", i32 4}
!76 = !{i32 7, !"frame-pointer", i32 2}
!77 = !{!"clang"}
!78 = distinct !DISubprogram(name: "thread", scope: !3, file: !3, line: 29, type: !79, scopeLine: 29, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !82)
!79 = !DISubroutineType(types: !80)
!80 = !{!15, !81}
!81 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !12, size: 64)
!82 = !{!83, !84}
!83 = !DILocalVariable(name: "t", arg: 1, scope: !78, file: !3, line: 29, type: !81)
!84 = !DILocalVariable(name: "r", scope: !78, file: !3, line: 30, type: !15)
!85 = !DILocation(line: 0, scope: !78)
!86 = !DILocation(line: 30, column: 3, scope: !78)
!87 = !DILocation(line: 30, column: 7, scope: !78)
!88 = !{!89, !89, i64 0}
!89 = !{!"int", !90, i64 0}
!90 = !{!"omnipotent char", !91, i64 0}
!91 = !{!"Simple C/C++ TBAA"}
!92 = !DILocation(line: 31, column: 3, scope: !78)
!93 = !DILocation(line: 32, column: 10, scope: !78)
!94 = !DILocation(line: 33, column: 1, scope: !78)
!95 = !DILocation(line: 32, column: 3, scope: !78)
!96 = distinct !DISubprogram(name: "letter", scope: !3, file: !3, line: 34, type: !79, scopeLine: 34, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !97)
!97 = !{!98, !99}
!98 = !DILocalVariable(name: "t", arg: 1, scope: !96, file: !3, line: 34, type: !81)
!99 = !DILocalVariable(name: "r", scope: !96, file: !3, line: 35, type: !24)
!100 = !DILocation(line: 0, scope: !96)
!101 = !DILocation(line: 35, column: 3, scope: !96)
!102 = !DILocation(line: 35, column: 8, scope: !96)
!103 = !{!90, !90, i64 0}
!104 = !DILocation(line: 36, column: 3, scope: !96)
!105 = !DILocation(line: 37, column: 10, scope: !96)
!106 = !DILocation(line: 38, column: 1, scope: !96)
!107 = !DILocation(line: 37, column: 3, scope: !96)
!108 = distinct !DISubprogram(name: "normal", scope: !3, file: !3, line: 39, type: !109, scopeLine: 39, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !111)
!109 = !DISubroutineType(types: !110)
!110 = !{!51}
!111 = !{}
!112 = !DILocation(line: 39, column: 20, scope: !108)
!113 = distinct !DISubprogram(name: "tally", scope: !3, file: !3, line: 44, type: !114, scopeLine: 44, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !116)
!114 = !DISubroutineType(types: !115)
!115 = !{!34, !15}
!116 = !{!117, !118}
!117 = !DILocalVariable(name: "k", arg: 1, scope: !113, file: !3, line: 44, type: !15)
!118 = !DILocalVariable(name: "v", scope: !113, file: !3, line: 45, type: !65)
!119 = !DILocation(line: 0, scope: !113)
!120 = !DILocation(line: 45, column: 13, scope: !113)
!121 = !DILocation(line: 46, column: 7, scope: !122)
!122 = distinct !DILexicalBlock(scope: !113, file: !3, line: 46, column: 7)
!123 = !DILocation(line: 46, column: 7, scope: !113)
!124 = !DILocation(line: 46, column: 16, scope: !122)
!125 = !DILocation(line: 46, column: 13, scope: !122)
!126 = !{!127, !127, i64 0}
!127 = !{!"long", !90, i64 0}
!128 = !DILocation(line: 46, column: 10, scope: !122)
!129 = !DILocation(line: 47, column: 3, scope: !113)
!130 = !DILocation(line: 48, column: 10, scope: !113)
!131 = !DILocation(line: 48, column: 3, scope: !113)
!132 = distinct !DISubprogram(name: "visit", scope: !3, file: !3, line: 40, type: !133, scopeLine: 40, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagLocalToUnit | DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !135)
!133 = !DISubroutineType(types: !134)
!134 = !{!34, !35, !37, !35, !35}
!135 = !{!136, !137, !138, !139}
!136 = !DILocalVariable(name: "m", arg: 1, scope: !132, file: !3, line: 40, type: !35)
!137 = !DILocalVariable(name: "k", arg: 2, scope: !132, file: !3, line: 40, type: !37)
!138 = !DILocalVariable(name: "v", arg: 3, scope: !132, file: !3, line: 40, type: !35)
!139 = !DILocalVariable(name: "c", arg: 4, scope: !132, file: !3, line: 40, type: !35)
!140 = !DILocation(line: 0, scope: !132)
!141 = !DILocation(line: 41, column: 8, scope: !132)
!142 = !DILocation(line: 42, column: 3, scope: !132)
!143 = distinct !DISubprogram(name: "both", scope: !3, file: !3, line: 50, type: !144, scopeLine: 50, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !148)
!144 = !DISubroutineType(types: !145)
!145 = !{!146, !146, !147}
!146 = !DIBasicType(name: "_Bool", size: 8, encoding: DW_ATE_boolean)
!147 = !DIBasicType(name: "unsigned char", size: 8, encoding: DW_ATE_unsigned_char)
!148 = !{!149, !150}
!149 = !DILocalVariable(name: "x", arg: 1, scope: !143, file: !3, line: 50, type: !146)
!150 = !DILocalVariable(name: "c", arg: 2, scope: !143, file: !3, line: 50, type: !147)
!151 = !DILocation(line: 0, scope: !143)
!152 = !DILocation(line: 50, column: 49, scope: !143)
!153 = !DILocation(line: 50, column: 40, scope: !143)
!154 = distinct !DISubprogram(name: "small", scope: !3, file: !3, line: 51, type: !155, scopeLine: 51, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !158)
!155 = !DISubroutineType(types: !156)
!156 = !{!157, !157}
!157 = !DIBasicType(name: "signed char", size: 8, encoding: DW_ATE_signed_char)
!158 = !{!159}
!159 = !DILocalVariable(name: "x", arg: 1, scope: !154, file: !3, line: 51, type: !157)
!160 = !DILocation(line: 0, scope: !154)
!161 = !DILocation(line: 51, column: 45, scope: !154)
!162 = !DILocation(line: 51, column: 36, scope: !154)
!163 = distinct !DISubprogram(name: "same", scope: !3, file: !3, line: 52, type: !164, scopeLine: 52, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !171)
!164 = !DISubroutineType(types: !165)
!165 = !{!166, !166}
!166 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !167, size: 64)
!167 = distinct !DICompositeType(tag: DW_TAG_structure_type, name: "own", file: !3, line: 14, size: 128, elements: !168)
!168 = !{!169, !170}
!169 = !DIDerivedType(tag: DW_TAG_member, name: "a", scope: !167, file: !3, line: 15, baseType: !15, size: 32)
!170 = !DIDerivedType(tag: DW_TAG_member, name: "task", scope: !167, file: !3, line: 16, baseType: !81, size: 64, offset: 64)
!171 = !{!172}
!172 = !DILocalVariable(name: "x", arg: 1, scope: !163, file: !3, line: 52, type: !166)
!173 = !DILocation(line: 0, scope: !163)
!174 = !DILocation(line: 52, column: 35, scope: !163)
!175 = distinct !DISubprogram(name: "nothing", scope: !3, file: !3, line: 53, type: !176, scopeLine: 53, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !178)
!176 = !DISubroutineType(types: !177)
!177 = !{null, !15}
!178 = !{!179}
!179 = !DILocalVariable(name: "x", arg: 1, scope: !175, file: !3, line: 53, type: !15)
!180 = !DILocation(line: 0, scope: !175)
!181 = !DILocation(line: 53, column: 22, scope: !175)
