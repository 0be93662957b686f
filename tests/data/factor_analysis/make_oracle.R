# SPDX-License-Identifier: Apache-2.0
# Rscript make_oracle.R, with psych and GPArotation. Rows that have exactly the published correlations
# (ability.cov: Smith and Stanley 1983; Harman74.cor: Holzinger and Swineford 1939), and R's answers.
suppressMessages({library(psych); library(GPArotation)})
out <- data.frame()
add <- function(case, quantity, m) {
  m <- as.matrix(m)
  for (i in seq_len(nrow(m))) for (j in seq_len(ncol(m)))
    out <<- rbind(out, data.frame(case, quantity, i = i - 1, j = j - 1,
                                  value = sprintf("%.12g", m[i, j])))
}
arrange <- function(case, L, Phi = diag(ncol(L))) {
  L <- unclass(L)
  o <- order(-diag(Phi %*% t(L) %*% L)); s <- ifelse(colSums(L) < 0, -1, 1)[o]
  L <- L[, o, drop = FALSE] %*% diag(s, length(s))
  add(case, "loadings", L)
  add(case, "correlations", diag(s, length(s)) %*% Phi[o, o, drop = FALSE] %*% diag(s, length(s)))
}
exact_rows <- function(R, n, name) {
  set.seed(1); p <- ncol(R)
  Z <- scale(matrix(rnorm(n * p), n), scale = FALSE); Z <- Z %*% solve(chol(cov(Z))) %*% chol(R)
  colnames(Z) <- paste0("x", seq_len(p))
  write.csv(format(Z, digits = 17, trim = TRUE), paste0(name, ".csv"), row.names = FALSE, quote = FALSE)
}
rotations <- function(case, L, k) {
  arrange(paste0(case, "_none"), L)
  v <- varimax(L, normalize = TRUE, eps = 1e-14); arrange(paste0(case, "_varimax"), v$loadings)
  p <- promax(v$loadings, 4)
  arrange(paste0(case, "_promax"), p$loadings, solve(t(p$rotmat) %*% p$rotmat))
  for (m in c("quartimax", "oblimin", "geomin")) {
    f <- list(quartimax = quartimax, oblimin = oblimin, geomin = geominQ)[[m]]
    g <- f(L, eps = 1e-10, maxit = 20000)
    arrange(paste0(case, "_", m), g$loadings, if (is.null(g$Phi)) diag(k) else g$Phi)
  }
}
for (d in list(list("ability", cov2cor(ability.cov$cov), 112, 2), list("harman74", Harman74.cor$cov, 145, 4))) {
  name <- d[[1]]; R <- d[[2]]; n <- d[[3]]; k <- d[[4]]; p <- ncol(R)
  exact_rows(R, n, name)
  ml <- factanal(covmat = list(cov = R, n.obs = n), factors = k, rotation = "none",
                 control = list(opt = list(factr = 1e-2, pgtol = 0, maxit = 10000)))
  rotations(paste0(name, "_ml"), unclass(ml$loadings), k)
  add(paste0(name, "_ml_none"), "uniqueness", ml$uniquenesses)
  add(paste0(name, "_ml_none"), "fit", c(ml$dof, ml$STATISTIC, ml$PVAL))
  f <- fa(R, k, n.obs = n, fm = "ml", rotate = "none")
  add(paste0(name, "_ml_none"), "psych", c(f$RMSEA[1], f$TLI, f$BIC, f$rms))
  uls <- fa(R, k, n.obs = n, fm = "uls", rotate = "none")
  add(paste0(name, "_minres_none"), "uniqueness", uls$uniquenesses)
  arrange(paste0(name, "_minres_none"), unclass(uls$loadings))
  b <- cortest.bartlett(R, n); km <- KMO(R)
  add(name, "bartlett", c(b$chisq, b$df, b$p.value)); add(name, "kmo", km$MSA); add(name, "msa", km$MSAi)
  # Parallel analysis: eigenvalues of simulated rows, not of simulated products.
  set.seed(2)
  random <- replicate(2000, eigen(cor(matrix(rnorm(n * p), n)), only.values = TRUE)$values)
  add(name, "random_eigenvalues", rowMeans(random))
  # Scores from the unrotated maximum likelihood loadings, of the first rows.
  Z <- as.matrix(read.csv(paste0(name, ".csv"))); Z <- scale(Z); L <- unclass(ml$loadings)
  L <- L %*% diag(ifelse(colSums(L) < 0, -1, 1)); U <- diag(1 / ml$uniquenesses)
  add(name, "regression_scores", (Z %*% solve(R, L))[1:5, ])
  add(name, "bartlett_scores", (Z %*% U %*% L %*% solve(t(L) %*% U %*% L))[1:5, ])
  add(name, "eigenvalues", eigen(R)$values)
}
write.csv(out, "oracle.csv", row.names = FALSE, quote = FALSE)
